"""Links, power and the domestic share: what they cost, who pays, and what the market says of it."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import LazySettings

from exchange.engine.clearing import clear
from exchange.engine.files import read_book
from exchange.foundation.market_time import mark_as_play
from exchange.foundation.money import MICROS
from exchange.models import (
    Accelerator,
    Auction,
    ClearingResult,
    LinkPrice,
    PowerBudget,
    PowerPrice,
    Region,
    Site,
)
from exchange.queries.archive_files import folders_of
from exchange.queries.indices import region_indices
from exchange.queries.market import demand_served, public_fills, use_by_region
from exchange.queries.trading_gain import isolated, trading_gain
from exchange.queries.verification import problems_of
from exchange.services.contract_terms import exact_price
from settlement.models import Contract, DeliveryPeriod, Hold
from settlement.queries.audit import audit_books
from tests.exchange.markets import Market, bid_body, buyer, capacity_of, limit_link, market
from tests.exchange.trading import bid, hold_through, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def far_bid(**changes: str) -> dict[str, str]:
    return {"origin": "guizhou", "gbps": "2"} | changes


def books_hold() -> bool:
    return all(finding.holds for finding in audit_books())


def test_who_uses_a_full_link_pays_its_rent(scene: Market) -> None:
    offer_of(scene)
    limit_link(6)
    dear = bid(bid_body(scene.auction, **far_bid(quantity="2", limit_price="9.000")), buyer())
    bid(bid_body(scene.auction, **far_bid(quantity="2", limit_price="5.000")), buyer())
    hold_through(scene.auction)
    assert LinkPrice.objects.count() == 4
    period = DeliveryPeriod.objects.filter(contract__bid_id=dear.public_id).earliest("starts_at")
    link = LinkPrice.objects.get(period=0).price_ticks
    assert period.price_ticks == 2_000
    assert period.congestion_price == Decimal(2 * link) / 1_000 > 0
    assert period.buyer_price == 2 + period.congestion_price
    assert period.seller_price == 2
    cost = 4 * int(2 * MICROS * period.buyer_price)
    assert Hold.objects.get(key=dear.hold_key).open_micros == cost + cost // 100
    assert books_hold()


def test_a_used_up_power_budget_takes_its_price_from_the_seller(scene: Market) -> None:
    offer_of(scene)
    budget = 3 * 840_000  # three accelerators of 700 W at a PUE of 1.2
    PowerBudget.objects.create(
        region=scene.site.region, kw_micros=budget, starts_at=scene.auction.starts_at
    )
    bid(bid_body(scene.auction, quantity="5", limit_price="7.000"), buyer())
    hold_through(scene.auction)
    power = PowerPrice.objects.get(period=0).price_ticks
    period = DeliveryPeriod.objects.earliest("starts_at")
    assert (period.quantity_lots, period.price_ticks) == (3_000, 7_000)
    assert period.power_price == Decimal(power) / 1_000 * Decimal("0.84")
    assert period.seller_price == 7 - period.power_price
    assert books_hold()


def test_the_domestic_share_moves_money_from_foreign_to_domestic_sellers(scene: Market) -> None:
    Auction.objects.filter(pk=scene.auction.pk).update(min_domestic_share_micros=500_000)
    capacity_of(scene.site, Accelerator.objects.get(code="ascend"))
    offer_of(scene, ticks=1_000)
    offer_of(scene, ticks=3_000, chip="ascend", quantity=100)
    chips = [
        {"accelerator": "h100", "factor": "1"},
        {"accelerator": "ascend", "factor": "3"},
    ]
    bid(bid_body(scene.auction, quantity="4", limit_price="20.000", accelerators=chips), buyer())
    hold_through(scene.auction)
    policy = dict(
        DeliveryPeriod.objects.values_list("contract__accelerator_code", "policy_price").distinct()
    )
    price = Decimal(ClearingResult.objects.get().domestic_share_nanos) / 10**9
    assert policy == {"ascend": price * 320 / 2, "h100": -price * 990 / 2}
    assert books_hold()


def test_a_price_is_exact_to_its_last_decimal() -> None:
    price = Fraction(1, 1_000) * Fraction(699_999_999, 10**6) * Fraction(1_234_567, 10**6) / 1_000
    assert Fraction(exact_price(price)) == price
    assert exact_price(Fraction(-1, 3)) < Decimal("-0.333333333333333333")


def two_regions(scene: Market) -> None:
    """Sell cheaply in Guizhou and dearly in Beijing, and ask in Beijing."""
    cheap = Site.objects.create(
        code="gz-1",
        name="Guizhou 1",
        provider=scene.provider,
        region=Region.objects.get(code="guizhou"),
        pue_micros=1_200_000,
        renewable_micros=800_000,
    )
    capacity_of(cheap, Accelerator.objects.get(code="h100"))
    offer_of(scene, ticks=2_500)
    offer_of(scene, ticks=1_000, quantity=3, site=cheap)
    bid(bid_body(scene.auction, quantity="4", limit_price="3.000"), buyer())
    hold_through(scene.auction)


def test_it_says_what_moving_work_between_regions_gained(scene: Market) -> None:
    two_regions(scene)
    result = Auction.objects.get(pk=scene.auction.pk).result
    book = read_book(folders_of(result)["book"])
    assert (isolated(book).routes.origin == isolated(book).routes.region).all()
    gain = trading_gain(book, clear(book))
    assert gain.together_micros == 4 * (3 * 2_000_000 + 500_000)
    assert gain.apart_micros == 4 * 4 * 500_000
    assert gain.gain_micros == 4 * (3 * 1_500_000)
    assert result.welfare_micros == gain.together_micros


def test_it_says_where_work_ran_and_how_much_of_what_was_asked(scene: Market) -> None:
    bid(bid_body(scene.auction, quantity="4", limit_price="0.001"), buyer())
    two_regions(scene)
    use = {row.region: row for row in use_by_region(scene.auction)}
    assert use["guizhou"].lot_minutes == use["guizhou"].lot_minutes_from_afar == 3_000 * 240
    assert (use["beijing"].lot_minutes, use["beijing"].lot_minutes_from_afar) == (1_000 * 240, 0)
    served = demand_served(scene.auction)
    assert (served.jobs, served.jobs_served, served.share) == (2, 1, 0.5)


def test_the_index_of_a_region_is_what_it_traded_at(scene: Market) -> None:
    two_regions(scene)
    index = {row.region: row.index_ticks for row in region_indices(scene.auction)}
    fills = {fill.site.region.code: fill.price_ticks for fill in public_fills()}  # type: ignore[attr-defined]
    assert index == fills == {"beijing": 2_500, "guizhou": 2_500}


def test_the_archive_and_the_tables_say_the_same(scene: Market) -> None:
    limit_link(6)
    two_regions(scene)
    result = Auction.objects.get(pk=scene.auction.pk).result
    assert problems_of(result) == []
    assert Contract.objects.count() == 2


def test_a_buyer_whom_the_policy_pays_has_nothing_held_and_its_auction_is_published(
    scene: Market,
) -> None:
    Auction.objects.filter(pk=scene.auction.pk).update(min_domestic_share_micros=500_000)
    capacity_of(scene.site, Accelerator.objects.get(code="ascend"))
    offer_of(scene, ticks=1_000)
    offer_of(scene, ticks=3_000, chip="ascend", quantity=100)
    bid(bid_body(scene.auction, quantity="10", limit_price="20.000"), buyer())
    chips = [{"accelerator": "ascend", "factor": "1"}]
    paid = bid(bid_body(scene.auction, quantity="2", accelerators=chips), buyer())
    hold_through(scene.auction)
    period = DeliveryPeriod.objects.filter(contract__bid_id=paid.public_id).earliest("starts_at")
    assert period.buyer_price < 0
    assert Hold.objects.get(key=paid.hold_key).open_micros == 0
    assert books_hold()
