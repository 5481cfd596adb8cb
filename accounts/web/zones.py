"""The reader's time zone beside the market's: whose clock a page shows first.

The choice is kept in a cookie, so that pages need nobody signed in for it; a member's profile keeps
it too and brings it back at the next sign-in. Scripts write the browser's own zone there at the
first visit. Without a choice everything is shown by the market's clock alone.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import datetime
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext as _

COOKIE: Final = "zone"
COOKIE_SECONDS: Final = 365 * 24 * 3600
MARKET: Final = "market"  # chosen by whoever wants the market's clock alone
MINUTE: Final = "%Y-%m-%d %H:%M"

Door = Callable[[HttpRequest], Any]
_reader: ContextVar[ZoneInfo | None] = ContextVar("reader_zone", default=None)


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of zones that can be chosen: places, and UTC."""
    names = available_timezones()
    return frozenset(name for name in names if "/" in name and not name.startswith("Etc/")) | {
        "UTC"
    }


def market_zone_info() -> ZoneInfo:
    """Return the time zone that the market's days are counted in."""
    return ZoneInfo(settings.MARKET_TIME_ZONE)


def reader_zone() -> ZoneInfo:
    """Return the zone of whoever reads this page; the market's outside of requests."""
    return _reader.get() or market_zone_info()


def zone_of(request: HttpRequest) -> ZoneInfo | None:
    """Return the zone that the request's cookie names, if there is such a zone."""
    name = request.COOKIES.get(COOKIE, "")
    return ZoneInfo(name) if name in known_zones() else None


def keep_zone(response: HttpResponseBase, name: str) -> None:
    """Write the choice into the reader's browser; scripts look whether it is there."""
    response.set_cookie(
        COOKIE, name, COOKIE_SECONDS, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )


def two_clocks(at: datetime, form: str = MINUTE) -> tuple[str, str]:
    """Return an instant by the reader's clock and by the market's, '' if that says the same.

    The market's leaves the date out where it is the same day.
    """
    own, market = at.astimezone(reader_zone()), at.astimezone(market_zone_info())
    if own.replace(tzinfo=None) == market.replace(tzinfo=None):
        return own.strftime(form), ""
    same_day = own.date() == market.date()
    _before, space, clock = form.partition(" ")
    return own.strftime(form), market.strftime(clock if same_day and space else form)


def instant_words(at: datetime, form: str = MINUTE) -> str:
    """Say an instant in plain words, such as an option's: ``2026-01-05 10:00 (market 17:00)``."""
    own, market = two_clocks(at, form)
    return f"{own} ({_('market')} {market})" if market else own


def zone_words(zone: ZoneInfo, now: datetime) -> str:
    """Name a zone with its distance from UTC: ``Europe/Berlin (UTC+01:00)``."""
    away = f"{now.astimezone(zone):%z}"
    return f"{zone.key} (UTC{away[:3]}:{away[3:]})"


@sync_and_async_middleware
def reader_zones(get_response: Door) -> Door:
    """Let every page know its reader's zone while it is made."""

    def enter(request: HttpRequest) -> HttpResponseBase:
        token = _reader.set(zone_of(request))
        try:
            answered: HttpResponseBase = get_response(request)
        finally:
            _reader.reset(token)
        return answered

    async def enter_async(request: HttpRequest) -> HttpResponseBase:
        token = _reader.set(zone_of(request))
        try:
            waiting: Awaitable[HttpResponseBase] = get_response(request)
            return await waiting
        finally:
            _reader.reset(token)

    return enter_async if iscoroutinefunction(get_response) else enter
