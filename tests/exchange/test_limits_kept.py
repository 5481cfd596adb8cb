"""Published prices are rounded to the tick; what that takes from an order, the house bears."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import LazySettings

from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.foundation.money import LOTS, TICKS
from exchange.models import BidKind, PowerBudget
from exchange.services.limits_kept import cuts_for_buyer, raise_for_sellers
from settlement.management.fleet import equip
from settlement.management.sending import straight
from settlement.management.simulation import batches_of
from settlement.models import AccountKind, Contract, DeliveryPeriod, Hold, LedgerAccount
from settlement.queries.audit import audit_books
from settlement.services.settling import settle_due
from tests.exchange.markets import HOUR, Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of

LIMIT, FACTOR = 2_360, 1_302_000  # 2.360 / 1.302 is 1.81259...: on the tick that is 1.813


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def sell_to_a_marginal_bid(scene: Market) -> Hold:
    """Sell one accelerator an hour to a bid that wants more: its limit is the price."""
    offer_of(scene, quantity=1, ticks=500)
    chips = [{"accelerator": "h100", "factor": "1.302"}]
    mine = bid(bid_body(scene.auction, limit_price="2.360", accelerators=chips), buyer())
    hold_through(scene.auction)
    return Hold.objects.get(key=mine.hold_key)


@pytest.mark.django_db
def test_a_buyer_whose_limit_is_off_the_tick_pays_its_limit(scene: Market) -> None:
    sell_to_a_marginal_bid(scene)

    for period in DeliveryPeriod.objects.all():
        assert period.price_ticks == 1_813
        assert Decimal("1.8125") < period.buyer_price
        assert Fraction(period.buyer_price) <= Fraction(LIMIT * 10**6, TICKS * FACTOR)
        assert period.seller_price == Decimal("1.813")


@pytest.mark.django_db
def test_a_seller_whose_ask_is_off_the_tick_gets_its_ask(scene: Market) -> None:
    offer_of(scene)
    budget = 3 * 840_000  # three accelerators of 700 W at a PUE of 1.2
    PowerBudget.objects.create(
        region=scene.site.region, kw_micros=budget, starts_at=scene.auction.starts_at
    )
    bid(bid_body(scene.auction, quantity="5", limit_price="6.000"), buyer())
    hold_through(scene.auction)

    for period in DeliveryPeriod.objects.all():
        assert 6 - period.power_price < 2  # the kWh's price was rounded up
        assert period.seller_price == 2
        assert period.buyer_price == 6


@pytest.mark.django_db
def test_the_house_bears_what_is_left(scene: Market) -> None:
    hold = sell_to_a_marginal_bid(scene)
    fleet = equip(list(Contract.objects.all()), now=scene.auction.starts_at)
    later = scene.auction.ends_at + 2 * HOUR
    set_market_time(later)
    for meter, events in batches_of(fleet, until=scene.auction.ends_at):
        straight(meter, events)
    settle_due(later)

    borne = LedgerAccount.objects.filter(kind=AccountKind.ROUNDING)
    assert sum(account.credits_posted - account.debits_posted for account in borne) < 0
    hold.refresh_from_db()
    assert hold.open_micros >= 0
    assert all(finding.holds for finding in audit_books())


def test_a_block_is_worth_its_limit_over_all_its_hours() -> None:
    prices = [Fraction(3), Fraction(1), Fraction(5, 2)]
    block = {"kind": BidKind.BLOCK, "factor_micros": 1_500_000, "unit_lots": 3 * LOTS}

    # Five accelerators do three units: 32.5 an hour and accelerator in all, worth 9 x 3.6 = 32.4.
    cuts = cuts_for_buyer(prices, [5 * LOTS] * 3, limit_ticks=3_600, **block)  # type: ignore[arg-type]
    assert cuts == [Fraction(1, 10) / 15] * 3
    assert cuts_for_buyer(prices, [5 * LOTS] * 3, limit_ticks=3_700, **block) == [0] * 3  # type: ignore[arg-type]


def test_what_an_offer_would_lose_is_spread_over_all_that_its_cell_sold() -> None:
    sold = [(1_000, 3 * LOTS), (2_001, LOTS)]

    assert raise_for_sellers(sold, Fraction(2)) == Fraction(1, 4_000)
    assert raise_for_sellers(sold, Fraction(3)) == 0
