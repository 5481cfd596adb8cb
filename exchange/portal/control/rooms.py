"""The control room's boards: regions, links and power, what is wrong. Live by polling."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.queries.failing_webhooks import failing_endpoints
from accounts.web.portal import caller_of
from exchange.foundation.market_time import market_now
from exchange.models import Region
from exchange.portal.control.doors import control_reads
from exchange.portal.market.sights import region_names
from exchange.queries.control.network import link_loads, power_loads
from exchange.queries.control.regions import AHEAD, region_board
from exchange.queries.control.shares import cleared_shares
from exchange.queries.control.stuck import stuck_auctions
from settlement.queries.audit_results import last_audit
from settlement.queries.late_meters import late_meters

KEPT_SECONDS = 5  # All watchers of an organization share one reckoning of a board.
WINDOWS = {
    1: _("last hour"),
    24: _("last 24 hours"),
    7 * 24: _("last 7 days"),
    30 * 24: _("last 30 days"),
}
USUAL_HOURS = 24
T = TypeVar("T")


@require_safe
@control_reads
def control_regions(request: HttpRequest) -> HttpResponse:
    """Show capacity, contracts, deliveries, power and shares by region."""
    hours, now = hours_asked(request), market_now()
    caller = caller_of(request)
    board = _kept(
        request,
        f"regions/{hours}",
        lambda: region_board(
            caller, now, since=now - timedelta(hours=hours), heard_since=_heard_since(now)
        ),
    )
    shown = {
        "board": board,
        "shares": _kept(request, "shares", cleared_shares),
        "renewable_policy_micros": settings.RENEWABLE_SHARE_MIN_MICROS,
        "pue_limits": dict(Region.objects.values_list("code", "pue_micros_max")),
    }
    return _show(request, "exchange/control/regions.html", shown, hours=hours)


@require_safe
@control_reads
def control_network(request: HttpRequest) -> HttpResponse:
    """Show how full links and power budgets are, and were at their fullest hour."""
    hours, now = hours_asked(request), market_now()
    span = {"since": now - timedelta(hours=hours), "until": now + AHEAD}
    shown = {
        "links": _kept(request, f"links/{hours}", lambda: link_loads(now, **span)),
        "power": _kept(request, f"power/{hours}", lambda: power_loads(now, **span)),
    }
    return _show(request, "exchange/control/network.html", shown, hours=hours)


@require_safe
@control_reads
def control_alarms(request: HttpRequest) -> HttpResponse:
    """Show what is wrong now: stuck auctions, late meters, failing webhooks, broken books."""
    now = market_now()
    shown = {
        "stuck": stuck_auctions(now),
        "late": late_meters(now, since=_heard_since(now)),
        "failing": failing_endpoints(caller_of(request)),
        "heartbeat_minutes": settings.HEARTBEAT_MINUTES,
        "audit": last_audit(),
    }
    return _show(request, "exchange/control/alarms.html", shown)


def hours_asked(request: HttpRequest) -> int:
    """Return how many hours back a board looks; what is not to choose is the usual."""
    asked = request.GET.get("hours", "")
    hours = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 4 else 0  # noqa: PLR2004
    return hours if hours in WINDOWS else USUAL_HOURS


def _heard_since(now: datetime) -> datetime:
    return now - timedelta(minutes=settings.HEARTBEAT_MINUTES)


def _show(
    request: HttpRequest, template: str, shown: dict[str, Any], *, hours: int | None = None
) -> HttpResponse:
    frame = {"hours": hours, "windows": WINDOWS, "names": region_names(), "now": market_now()}
    return render(request, template, frame | shown)


def _kept(request: HttpRequest, name: str, make: Callable[[], T]) -> T:
    whose = caller_of(request).organization_public_id
    key = f"control/{whose}/{name}"
    found: T | None = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, KEPT_SECONDS)
    return found
