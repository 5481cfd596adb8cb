"""The days around the demo's own: drawn from the day alone, played through the real services."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from exchange.foundation.market_time import mark_as_play, market_now
from exchange.management.demo import market_setup, month, small_days
from exchange.management.demo.cast import Cast, gather_cast, load_tables
from exchange.management.demo.month import DAY, SETTLED, Dates, Month, begin_month
from exchange.management.demo.platform import Size
from exchange.models import Auction, AuctionState, Bid, Offer
from settlement.models import Contract, DeliveryPeriod, PeriodState, SettlementRun
from settlement.queries.audit import audit_books
from tests.exchange.in_process import InProcess, tick

pytestmark = pytest.mark.django_db(transaction=True)
SMALL = Size(providers=14, buyers=5, jobs=10)


def begin(history: int) -> tuple[Dates, Cast]:
    mark_as_play()
    load_tables()
    dates = begin_month(history)
    assert dates is not None
    return dates, gather_cast(SMALL)


def month_of(dates: Dates, cast: Cast) -> Month:
    return Month(cast=cast, stage=InProcess(), dates=dates)  # type: ignore[arg-type]


def test_the_play_begins_so_early_that_its_day_is_settled_for_good_today() -> None:
    mark_as_play()
    today = market_setup.today()
    dates = begin_month(3)
    assert dates == Dates(today - SETTLED - 3 * DAY, today - SETTLED)
    assert market_setup.today() == dates.first - DAY
    assert begin_month(3) == dates


def test_without_a_history_the_day_is_played_alone_and_the_clock_is_let_be() -> None:
    mark_as_play()
    before = market_now()
    assert begin_month(0) is None
    assert market_now() - before < timedelta(minutes=1)


def test_a_day_draws_the_same_book_again_and_another_day_another() -> None:
    dates, cast = begin(2)
    days = dates.first, dates.first + DAY
    bids = [small_days.small_bids(cast.prices, day) for day in days]
    asks = [small_days.small_offers(cast.offers, day, first=dates.first) for day in days]
    assert bids[0] == small_days.small_bids(cast.prices, days[0])
    assert asks[0] == small_days.small_offers(cast.offers, days[0], first=dates.first)
    assert bids[0] != bids[1]
    assert asks[0] != asks[1]


def test_every_region_with_sites_has_somebody_who_sells_on_small_days() -> None:
    _, cast = begin(1)
    selling = small_days.sellers(cast.sites, cast.offers)
    region_of = {site.code: site.region for site in cast.sites}
    assert {region_of[code] for code in selling} == set(region_of.values())
    assert cast.sites[0].code in selling, "whose login is printed sells every day"


def test_days_pass_with_auctions_deliveries_and_books_that_hold(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARCHIVE_DIR = tmp_path
    monkeypatch.setattr(small_days, "JOBS", (12, 12))
    monkeypatch.setattr(small_days, "GANGS", (1, 1))
    dates, cast = begin(3)
    tick()
    play = month_of(dates, cast)
    play.pass_until(market_setup.midnight(dates.first + 2 * DAY) + month.HOUR)
    tick()
    published = Auction.objects.filter(state=AuctionState.PUBLISHED)
    assert published.count() == 3
    assert Contract.objects.exists()
    over = DeliveryPeriod.objects.filter(ends_at__lt=market_now() - 2 * month.HOUR)
    assert over.exists()
    assert not over.filter(state=PeriodState.OPEN).exists()
    assert SettlementRun.objects.filter(delivered_ms__gt=0).exists()
    assert all(finding.holds for finding in audit_books(contents=True))


def test_a_play_that_was_cut_off_finds_what_it_left_and_bids_nothing_twice(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARCHIVE_DIR = tmp_path
    monkeypatch.setattr(small_days, "JOBS", (8, 8))
    monkeypatch.setattr(small_days, "GANGS", (1, 1))
    dates, cast = begin(2)
    tick()
    month_of(dates, cast).keep_up()
    left = Bid.objects.count(), Offer.objects.count()
    assert left[0] >= 9
    assert begin_month(7) is not None
    month_of(dates, cast).keep_up()
    assert (Bid.objects.count(), Offer.objects.count()) == left
