"""A provider's day at a glance: offered, contracted, delivered, short, earned, and what waits."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models.callers import Caller
from accounts.web.portal import caller_of
from exchange.foundation.market_time import market_now
from exchange.models import Auction, SiteCapacity
from exchange.portal.days import HOUR, DayForm, day_of_market, today
from exchange.portal.doors import may_write, provider_reads
from exchange.portal.offer_filters import own_sites
from exchange.queries.capacity_boards import CapacityBoard, capacity_boards
from settlement.queries.delivery_days import PlaceDelivered, delivered_places, total_of
from settlement.queries.disputes import disputes_shown
from settlement.queries.meter_health import silent_devices

HOUR_MS = 3_600_000
LOTS_AN_ACCELERATOR = 1_000
DISPUTES_SHOWN = 5
GATES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PlaceDay:
    """One accelerator at one site through a day; ``offered_ms`` is what is still on sale."""

    offered_ms: int
    delivered: PlaceDelivered


@require_safe
@provider_reads
def provider_desk(request: HttpRequest) -> HttpResponse:
    """Show a day of the market; today unless another is asked for."""
    caller, now = caller_of(request), market_now()
    form = DayForm({"day": request.GET.get("day") or today().isoformat()})
    day = form.cleaned_data["day"] if form.is_valid() else today()
    starts_at, hours = day_of_market(day)
    places = _places(request, caller, starts_at, hours)
    undecided = disputes_shown(caller).filter(
        period__contract__provider_id=caller.organization_id, decided_at__isnull=True
    )
    auctions = Auction.objects.visible_to(None).taking_bids().select_related("series")
    context = {
        "form": form,
        "places": places,
        "offered_ms": sum(place.offered_ms for place in places),
        "total": total_of(place.delivered for place in places),
        "gates": [
            (gate, gate.closes_at - now) for gate in auctions.order_by("closes_at")[:GATES_SHOWN]
        ],
        "silent": silent_devices(caller.organization_id, now),
        "disputes": undecided.order_by("-pk")[:DISPUTES_SHOWN],
        "may_write": may_write(request),
        **form.beside(),
    }
    return render(request, "exchange/desk.html", context)


def _places(
    request: HttpRequest, caller: Caller, starts_at: datetime, hours: int
) -> list[PlaceDay]:
    """Return every place with anything on sale or due that day, by its codes."""
    capacities = SiteCapacity.objects.visible_to(caller).filter(site__in=own_sites(request))
    boards = capacity_boards(
        capacities.select_related("site", "accelerator"), starts_at, hours=hours
    )
    offered = {(board.site, board.accelerator): _offered_ms(board) for board in boards}
    rows = delivered_places(caller.organization_id, starts_at, starts_at + hours * HOUR)
    due = {(row.site, row.accelerator): row for row in rows}
    return [
        PlaceDay(offered.get(place, 0), due.get(place) or PlaceDelivered(*place, 0, 0, 0, 0))
        for place in sorted(offered.keys() | due.keys())
        if offered.get(place) or place in due
    ]


def _offered_ms(board: CapacityBoard) -> int:
    """Return what is on sale through the day, each hour at its tightest moment."""
    lots = sum(hour.segment.promised for hour in board.hours)
    return lots * HOUR_MS // LOTS_AN_ACCELERATOR
