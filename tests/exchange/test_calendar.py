"""Gates stand on the wall clock, horizons run by elapsed time, and days have 23 to 25 hours."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import Auction, AuctionSeries
from exchange.services.auctions import schedule_auctions
from exchange.services.calendar import local_moment, slots_after
from tests.exchange.markets import series_of

BERLIN: dict[str, Any] = {"time_zone": "Europe/Berlin"}


def series(**changes: Any) -> AuctionSeries:
    """Return a series that is in no database."""
    plain: dict[str, Any] = {
        "horizon": "day_ahead",
        "time_zone": "Asia/Shanghai",
        "period_minutes": 60,
        "gate_minute": 720,
        "gate_weekday": 0,
        "every_minutes": 15,
        "lead_minutes": 15,
        "open_minutes": 60,
    }
    return AuctionSeries(**(plain | changes))


def test_day_ahead_sells_tomorrow_and_closes_at_noon_today() -> None:
    now = datetime(2026, 11, 22, 1, tzinfo=UTC)  # nine in the morning in Shanghai
    first, second = slots_after(series(), now)
    assert first.closes_at == datetime(2026, 11, 22, 4, tzinfo=UTC)
    assert first.starts_at == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert first.periods == 24
    assert second.closes_at - first.closes_at == timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_local_day_has_twenty_three_to_twenty_five_hours(day: date, hours: int) -> None:
    now = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=20)
    slot = next(slots_after(series(**BERLIN), now))
    assert slot.periods == hours
    assert slot.closes_at.astimezone(UTC) < slot.starts_at


def test_the_gate_is_at_noon_by_the_wall_clock_on_the_day_the_clock_changes() -> None:
    now = datetime(2026, 3, 29, 0, tzinfo=UTC)
    slot = next(slots_after(series(**BERLIN), now))
    assert slot.closes_at == datetime(2026, 3, 29, 10, tzinfo=UTC)  # summer time by then


def test_what_has_closed_is_not_announced() -> None:
    noon = datetime(2026, 11, 22, 4, tzinfo=UTC)
    assert next(slots_after(series(), noon)).closes_at == noon + timedelta(days=1)


def test_forward_sells_twenty_eight_days_once_a_week() -> None:
    forward = series(horizon="forward", period_minutes=1440, periods=28, gate_weekday=2)
    slots = list(slots_after(forward, datetime(2026, 11, 22, tzinfo=UTC)))
    assert [slot.periods for slot in slots] == [28]
    assert slots[0].closes_at == datetime(2026, 11, 25, 4, tzinfo=UTC)  # a Wednesday
    assert slots[0].starts_at == datetime(2026, 11, 25, 16, tzinfo=UTC)


def test_intraday_sells_the_hours_left_of_today_and_tomorrow() -> None:
    now = datetime(2026, 11, 22, 1, 50, tzinfo=UTC)  # 9:50 in Shanghai
    slots = list(slots_after(series(horizon="intraday"), now))
    assert [slot.closes_at.minute for slot in slots] == [0, 15, 30, 45]
    assert slots[0].starts_at == datetime(2026, 11, 22, 3, tzinfo=UTC)  # 10:15 is in the hour
    assert slots[0].periods == 13 + 24
    assert {slot.starts_at + timedelta(hours=slot.periods) for slot in slots} == {
        datetime(2026, 11, 23, 16, tzinfo=UTC)
    }


def test_intraday_at_a_gate_that_leaves_just_its_lead_sells_the_next_hour() -> None:
    now = datetime(2026, 11, 22, 1, 44, tzinfo=UTC)
    slot = next(slots_after(series(horizon="intraday"), now))
    assert slot.closes_at == datetime(2026, 11, 22, 1, 45, tzinfo=UTC)
    assert slot.starts_at == datetime(2026, 11, 22, 2, tzinfo=UTC)


def test_intraday_has_its_gates_through_a_day_of_twenty_five_hours() -> None:
    quarter = series(horizon="intraday", **BERLIN)
    start = local_moment(date(2026, 10, 25), 0, ZoneInfo("Europe/Berlin"))
    gates = set()
    for hour in range(25):
        found = slots_after(quarter, start + timedelta(hours=hour, minutes=-1))
        gates |= {slot.closes_at for slot in found}
    in_day = {gate for gate in gates if gate - start < timedelta(hours=25)}
    assert len(in_day) == 100


@pytest.mark.django_db
def test_auctions_are_announced_once_with_the_terms_of_their_series() -> None:
    mark_as_play()
    set_market_time(datetime(2026, 11, 22, 1, tzinfo=UTC))
    series_of(min_domestic_share_micros=300_000)
    assert schedule_auctions() == 2
    assert schedule_auctions() == 0
    auction = Auction.objects.earliest("closes_at")
    assert (auction.state, auction.min_domestic_share_micros) == ("scheduled", 300_000)
    assert auction.ends_at - auction.starts_at == timedelta(hours=24)


@pytest.mark.django_db
def test_a_series_that_rests_announces_nothing() -> None:
    series_of(active=False)
    assert schedule_auctions() == 0
