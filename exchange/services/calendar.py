"""Which auctions a series holds next: gates and horizons by the local calendar of the series.

Local days have 23 to 25 hours; gates stand on the wall clock, horizons run by elapsed time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from exchange.models import AuctionSeries, Horizon

DAY_MINUTES = 24 * 60
WEEKDAYS = 7
# How far ahead the auctions of each horizon are announced.
AHEAD = {
    Horizon.FORWARD: timedelta(days=8),
    Horizon.DAY_AHEAD: timedelta(days=2),
    Horizon.INTRADAY: timedelta(hours=1),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """The gate of an auction and the time that it sells, in UTC."""

    closes_at: datetime
    starts_at: datetime
    periods: int


def slots_after(series: AuctionSeries, now: datetime) -> Iterator[Slot]:
    """Yield the auctions whose gates come after ``now`` and are to be announced by now."""
    until = now + AHEAD[Horizon(series.horizon)]
    for slot in _SLOTS[Horizon(series.horizon)](series, now, until):
        if now < slot.closes_at <= until and slot.periods > 0:
            yield slot


def local_moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return in UTC what a wall clock shows as ``minute`` of ``day``.

    A minute that the clock skips counts on from the hour before, one that it shows twice is the
    first of the two.
    """
    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)  # wall-clock arithmetic
    return wall.astimezone(UTC)


def _day_ahead_slots(series: AuctionSeries, now: datetime, until: datetime) -> Iterator[Slot]:
    zone = ZoneInfo(series.time_zone)
    for day in _days(now, until, zone):
        start = local_moment(day + timedelta(days=1), 0, zone)
        end = local_moment(day + timedelta(days=2), 0, zone)
        yield Slot(local_moment(day, series.gate_minute, zone), start, _count(series, start, end))


def _forward_slots(series: AuctionSeries, now: datetime, until: datetime) -> Iterator[Slot]:
    zone = ZoneInfo(series.time_zone)
    assert series.periods, "a forward series says how many periods it sells"
    for day in _days(now, until, zone):
        if day.weekday() == series.gate_weekday:
            start = local_moment(day + timedelta(days=1), 0, zone)
            yield Slot(local_moment(day, series.gate_minute, zone), start, series.periods)


def _intraday_slots(series: AuctionSeries, now: datetime, until: datetime) -> Iterator[Slot]:
    """The hours that begin after the gate and its lead, to the end of tomorrow."""
    zone = ZoneInfo(series.time_zone)
    period = timedelta(minutes=series.period_minutes)
    for day in _days(now, until, zone):
        midnight = local_moment(day, 0, zone)
        end = local_moment(day + timedelta(days=2), 0, zone)
        gate = midnight
        while gate < local_moment(day + timedelta(days=1), 0, zone):
            earliest = gate + timedelta(minutes=series.lead_minutes)
            start = midnight + -((midnight - earliest) // period) * period  # rounded up
            yield Slot(gate, start, _count(series, start, end))
            gate += timedelta(minutes=series.every_minutes)


_SLOTS = {
    Horizon.FORWARD: _forward_slots,
    Horizon.DAY_AHEAD: _day_ahead_slots,
    Horizon.INTRADAY: _intraday_slots,
}


def _days(now: datetime, until: datetime, zone: ZoneInfo) -> Iterator[date]:
    day = now.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        yield day
        day += timedelta(days=1)


def _count(series: AuctionSeries, start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(minutes=series.period_minutes)
