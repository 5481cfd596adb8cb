"""The figures of the market watch, against small markets reckoned by hand."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import LazySettings

from accounts.services.relations import end_relation, enter_relation
from exchange.foundation.market_time import mark_as_play, market_now
from exchange.foundation.money import LOTS
from exchange.models import Accelerator, MaintenanceWindow, OfferEntry, Site
from exchange.queries.watch.boards import evidence_of, finding_of
from exchange.queries.watch.concentration import concentration, hhi
from exchange.queries.watch.findings import Found, Span
from exchange.queries.watch.pivotal import pivotal_sellers
from exchange.queries.watch.related import related_trades
from exchange.queries.watch.spikes import price_spikes, rolling_medians
from exchange.queries.watch.trades import TradesBehind
from exchange.queries.watch.withheld import withheld_capacity
from tests.exchange.markets import HOUR, Market, bid_body, buyer, capacity_of, market
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.exchange.watched import auction_at, offered, seller_at, site_of
from tests.factories import MembershipFactory, OrganizationFactory, member, operator

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


@pytest.fixture
def noon() -> datetime:
    """Noon of today by the market's clock, which is eight hours ahead."""
    return market_now().replace(hour=4, minute=0, second=0, microsecond=0)


def day_of(at: datetime) -> Span:
    return Span(at - 4 * HOUR, at + 20 * HOUR)


def of(rows: list[Found], region: str, accelerator: str) -> Found:
    (row,) = (
        row
        for row in rows
        if (row.subject.region, row.subject.accelerator) == (region, accelerator)
    )
    return row


def test_the_index_is_the_sum_of_squared_shares() -> None:
    assert hhi([1]) == 10_000
    assert hhi([50, 30, 20]) == 2_500 + 900 + 400
    assert hhi([1] * 10) == 1_000
    assert hhi([0, 0]) is None


def test_concentration_of_a_region_of_an_accelerator_and_of_all(
    scene: Market, noon: datetime
) -> None:
    one, other = seller_at("a"), seller_at("b")
    far = site_of(other.provider, "far", region="guizhou")
    auction = auction_at(scene.series, noon, hours=2)
    offered(auction, one, quantity=10, sold=6)
    offered(auction, other, quantity=10, sold=4)
    offered(auction, other, quantity=30, sold=0, chip="ascend")
    offered(auction, far, quantity=5, sold=5, chip="ascend")

    rows = concentration(day_of(noon))

    here = of(rows, "beijing", "h100")
    assert here.figures["hhi_sold"] == 60**2 + 40**2
    assert here.figures["hhi_offered"] == 5_000
    assert here.figures["largest_share_micros"] == 600_000
    assert here.figures["sold_lot_hours"] == 2 * 10 * LOTS
    assert here.figures["offered_lot_hours"] == 2 * 20 * LOTS
    assert here.flagged
    assert [part.names for part in here.parts] == [("Seller a",), ("Seller b",)]
    assert of(rows, "beijing", "ascend").figures["hhi_sold"] is None
    assert not of(rows, "beijing", "ascend").flagged
    assert of(rows, "", "ascend").figures["hhi_sold"] == 10_000
    # By TFLOPS: 6 x 990 of the one, 4 x 990 + 5 x 320 of the other.
    a, b = 6 * 990, 4 * 990 + 5 * 320
    assert of(rows, "", "").figures["hhi_sold"] == round(10_000 * (a * a + b * b) / (a + b) ** 2)


def test_an_offer_in_two_books_counts_once_and_what_is_outside_the_span_not_at_all(
    scene: Market, noon: datetime
) -> None:
    site = seller_at("a")
    first = auction_at(scene.series, noon, hours=4)
    offer = offered(first, site, quantity=10, sold=1)
    second = auction_at(scene.series, noon, hours=4)
    OfferEntry.objects.create(auction=second, version=offer.versions.get())
    auction_at(scene.series, noon + 30 * HOUR)

    row = of(concentration(Span(noon, noon + 3 * HOUR)), "beijing", "h100")

    assert row.figures["offered_lot_hours"] == 3 * 10 * LOTS
    assert row.figures["sold_lot_hours"] == 3 * LOTS
    assert concentration(Span(noon + 8 * HOUR, noon + 9 * HOUR)) == []


def test_organizations_of_one_owner_are_one_seller_also_along_a_chain(
    scene: Market, noon: datetime
) -> None:
    group = [seller_at(code, owner_group="holding") for code in ("a", "b")]
    third, alone = seller_at("c"), seller_at("d")
    relation = enter_relation(
        third.provider,
        group[1].provider,
        kind="control",
        reason="the register says so",
        actor=member(operator()),
    )
    auction = auction_at(scene.series, noon)
    for site in (*group, third, alone):
        offered(auction, site, quantity=5, sold=5)

    def index() -> int | None:
        return of(concentration(day_of(noon)), "beijing", "h100").figures["hhi_sold"]

    assert index() == 75**2 + 25**2
    end_relation(relation, reason="sold", actor=member(operator()))
    assert index() == 50**2 + 25**2 + 25**2


def test_a_seller_is_pivotal_where_the_others_offer_less_than_was_sold(
    scene: Market, noon: datetime
) -> None:
    large, small = seller_at("large"), seller_at("small")
    tight = auction_at(scene.series, noon)
    offered(tight, large, quantity=10, sold=8)
    offered(tight, small, quantity=4, sold=2)  # 10 sold; 4 without the large, 10 without the small
    loose = auction_at(scene.series, noon + HOUR, hours=19)
    offered(loose, large, quantity=10, sold=1)
    offered(loose, small, quantity=10, sold=1)

    rows = pivotal_sellers(day_of(noon), by_accelerator=True)

    by_name = {row.names[row.subject.seller]: row for row in rows}
    assert set(by_name) == {"Seller large", "Seller small"}
    large_row, small_row = by_name["Seller large"], by_name["Seller small"]
    assert large_row.figures["rsi_least_micros"] == 400_000
    assert (large_row.figures["hours_traded"], large_row.figures["hours_pivotal"]) == (20, 1)
    assert large_row.hours == (noon,)
    assert small_row.figures["rsi_least_micros"] == 1_000_000
    assert (small_row.figures["hours_pivotal"], small_row.figures["hours_tight"]) == (0, 1)
    assert not large_row.flagged  # one hour of twenty is just 5 %
    shorter = pivotal_sellers(Span(noon, noon + 19 * HOUR), by_accelerator=True)
    assert all(row.flagged for row in shorter)


def test_other_accelerators_of_the_region_stand_in_for_each_other_by_tflops(
    scene: Market, noon: datetime
) -> None:
    one, other = seller_at("a"), seller_at("b")
    auction = auction_at(scene.series, noon)
    offered(auction, one, quantity=20, sold=10)  # 9,900 TFLOPS are sold
    offered(auction, other, quantity=100, chip="ascend")  # 32,000 TFLOPS

    assert [row.names[row.subject.seller] for row in pivotal_sellers(
        day_of(noon), by_accelerator=True
    )] == ["Seller a"]  # fmt: skip
    assert pivotal_sellers(day_of(noon), by_accelerator=False) == []


def test_trades_between_related_organizations_are_found_with_their_money(scene: Market) -> None:
    related, other = buyer(), buyer()
    person = MembershipFactory.create(organization=scene.provider).user
    MembershipFactory.create(organization_id=related.organization_id, user=person)
    offer_of(scene, quantity=10)
    bid(bid_body(scene.auction, quantity="2"), related)
    bid(bid_body(scene.auction, quantity="6"), other)
    hold_through(scene.auction)
    span = Span(scene.auction.starts_at, scene.auction.ends_at)

    (found,) = related_trades(span)

    assert found.why == ("domain", "member")
    assert found.subject.buyer == related.organization_public_id
    assert found.subject.seller == scene.provider.public_id
    assert found.figures["trades"] == 4
    assert found.figures["lot_hours"] == 8 * LOTS
    assert found.figures["amount_micros"] == 4 * 2 * 2_000_000
    assert found.figures["share_micros"] == 1_000_000
    assert (found.figures["bids"], found.figures["set_aside"]) == (1, 0)
    behind = TradesBehind(found)
    assert len(behind) == 4
    assert {trade.buyer for trade in behind[0:10]} == {related.organization_public_id}
    assert sum(trade.amount_micros for trade in behind[0:10]) == 16_000_000


def test_bids_of_one_owner_that_were_set_aside_are_counted(scene: Market) -> None:
    group = {"owner_group": "one owner", "provides": False}
    own = buyer(organization=OrganizationFactory.create(**group))
    type(scene.provider).objects.filter(pk=scene.provider.pk).update(owner_group="one owner")
    offer_of(scene, quantity=10)
    bid(bid_body(scene.auction), own)
    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)

    (found,) = related_trades(Span(scene.auction.starts_at, scene.auction.ends_at))

    assert found.why == ("owner_group",)
    assert (found.figures["trades"], found.figures["bids"], found.figures["set_aside"]) == (0, 1, 1)
    assert not found.flagged


def test_public_mail_services_relate_nobody(scene: Market) -> None:
    who = buyer()
    for organization_id, email in ((scene.provider.pk, "a"), (who.organization_id, "b")):
        MembershipFactory.create(organization_id=organization_id, user__email=f"{email}@qq.com")
    offer_of(scene)
    bid(bid_body(scene.auction), who)
    hold_through(scene.auction)

    assert related_trades(Span(scene.auction.starts_at, scene.auction.ends_at)) == []


def dear_hour(scene: Market, noon: datetime) -> tuple[Site, Site]:
    """Let one sell 5 at 2.000 the day before; today 10 of another go at 5.000."""
    keeping, selling = seller_at("keeping"), seller_at("selling")
    h100 = Accelerator.objects.get(code="h100")
    capacity_of(keeping, h100, 20 * LOTS)
    capacity_of(selling, h100, 10 * LOTS)
    offered(auction_at(scene.series, noon - DAY), keeping, quantity=20, sold=5)
    offered(auction_at(scene.series, noon), selling, quantity=10, sold=10, ask=4_000, price=5_000)
    return keeping, selling


def test_what_stands_free_and_is_not_offered_in_dear_hours_is_withheld(
    scene: Market, noon: datetime
) -> None:
    keeping, _selling = dear_hour(scene, noon)

    (found,) = withheld_capacity(day_of(noon))

    assert found.subject.site == keeping.code
    assert found.figures["usual_ticks"] == 2_000
    assert found.figures["price_ticks"] == 5_000
    assert (found.figures["unoffered_lot_hours"], found.figures["above_lot_hours"]) == (
        20 * LOTS,
        0,
    )
    assert found.figures["margin_micros"] == 20 * 3_000_000
    assert found.hours == (noon,)


def test_what_is_down_for_maintenance_is_not_withheld(scene: Market, noon: datetime) -> None:
    keeping, _selling = dear_hour(scene, noon)
    window = MaintenanceWindow.objects.create(
        site=keeping, starts_at=noon, ends_at=noon + HOUR, reason="a test", actor="a test"
    )
    assert withheld_capacity(day_of(noon)) == []
    MaintenanceWindow.objects.filter(pk=window.pk).update(cancelled_at=noon - HOUR)
    assert len(withheld_capacity(day_of(noon))) == 1


def test_a_tenth_may_stay_at_home(scene: Market, noon: datetime) -> None:
    keeping, _selling = dear_hour(scene, noon)
    today = auction_at(scene.series, noon)
    offered(today, keeping, quantity=18, sold=18, ask=4_500, price=5_000)
    assert withheld_capacity(day_of(noon)) == []


@pytest.mark.parametrize(
    ("ask", "withheld"),
    [(3_000, []), (5_001, [20 * LOTS]), (5_000, [])],
)
def test_an_unsold_offer_far_above_the_usual_ask_and_above_the_price_is_withheld(
    scene: Market, noon: datetime, ask: int, withheld: list[int]
) -> None:
    keeping, _selling = dear_hour(scene, noon)
    offered(auction_at(scene.series, noon), keeping, quantity=20, sold=0, ask=ask, price=5_000)
    found = withheld_capacity(day_of(noon))
    assert [row.figures["above_lot_hours"] for row in found] == withheld


def test_a_price_is_a_spike_against_the_same_hour_of_the_days_before(
    scene: Market, noon: datetime
) -> None:
    site = seller_at("a")
    for days, price in enumerate([2_000, 2_100, 1_900, 2_000, 9_000], start=1):
        offered(auction_at(scene.series, noon - days * DAY), site, quantity=5, sold=5, price=price)
        # Another hour of the day is dearer, and does not count.
        dear = auction_at(scene.series, noon - days * DAY + 2 * HOUR)
        offered(dear, site, quantity=5, sold=5, price=8_000)
    offered(auction_at(scene.series, noon), site, quantity=5, sold=5, price=3_000)
    offered(auction_at(scene.series, noon + 2 * HOUR), site, quantity=5, sold=5, price=8_000)

    (found,) = price_spikes(day_of(noon))

    assert found.subject.at == noon
    assert (found.figures["price_ticks"], found.figures["median_ticks"]) == (3_000, 2_000)
    assert found.figures["ratio_micros"] == 1_500_000
    assert (found.figures["days"], found.figures["lot_hours"]) == (5, 5 * LOTS)


def test_a_price_weighs_all_trades_of_its_hour_and_four_days_are_too_few(
    scene: Market, noon: datetime
) -> None:
    one, other = seller_at("a"), seller_at("b")
    for days in range(1, 5):
        offered(auction_at(scene.series, noon - days * DAY), one, quantity=5, sold=5, price=2_000)
    today = auction_at(scene.series, noon)
    offered(today, one, quantity=9, sold=9, price=2_000)
    offered(today, other, quantity=3, sold=3, price=8_000)
    assert price_spikes(day_of(noon)) == []
    offered(auction_at(scene.series, noon - 5 * DAY), one, quantity=5, sold=5, price=2_000)
    (found,) = price_spikes(day_of(noon))
    assert found.figures["price_ticks"] == (9 * 2_000 + 3 * 8_000) // 12


def test_rolling_medians_look_back_28_days_and_not_at_the_day_itself() -> None:
    days = np.array([0, 1, 2, 29, 30], dtype=np.int64)
    series = np.zeros(5, dtype=np.int64)
    median, observed = rolling_medians(series, days, np.array([5.0, 1.0, 3.0, 7.0, 9.0]))
    assert observed.tolist() == [0, 1, 2, 2, 2]  # day 29 sees 1 and 2; day 30 sees 2 and 29
    assert median.tolist()[1:] == [5.0, 3.0, 2.0, 5.0]


def test_evidence_tells_the_rule_the_figures_and_every_trade(scene: Market) -> None:
    offer_of(scene, quantity=10)
    bid(bid_body(scene.auction), buyer())
    hold_through(scene.auction)
    span = Span(scene.auction.starts_at, scene.auction.ends_at)
    row = of(concentration(span), "beijing", "h100")

    found = finding_of(row.subject)
    assert found is not None
    evidence = evidence_of(found, taken_at=market_now())

    assert evidence["rule"]["hhi_high"] == 1_800
    assert evidence["figures"]["hhi_sold"] == 10_000
    assert evidence["trades_complete"]
    assert [trade["quantity"] for trade in evidence["trades"]] == ["2.000"] * 4
    assert {trade["price"] for trade in evidence["trades"]} == {"2.000"}
    assert {trade["seller_name"] for trade in evidence["trades"]} == {"Provider"}


def test_a_book_that_is_not_published_says_nothing(scene: Market) -> None:
    offer_of(scene, quantity=10)
    bid(bid_body(scene.auction), buyer())
    close(scene.auction)
    span = Span(scene.auction.starts_at, scene.auction.ends_at)
    assert concentration(span) == []
    assert pivotal_sellers(span, by_accelerator=True) == []
    assert withheld_capacity(span) == []
    assert price_spikes(span) == []
