"""A bid is placed whole, with its money held, or not at all."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models.callers import Caller
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from exchange.models import Auction, Bid, BidState, MarketFreeze
from exchange.services.auctions import actor_name
from exchange.services.bids import BidNotFound, BidNotLive, cancel_bid, place_bid
from exchange.services.faults import TermsRefused
from exchange.services.gates import AuctionNotOpen, MarketFrozen
from settlement.models import Hold
from settlement.services.holds import InsufficientFunds
from settlement.services.projects import open_project
from tests.exchange.markets import (
    HOUR,
    Market,
    at,
    auction_of,
    bid_body,
    block_body,
    buyer,
    market,
    series_of,
    volume_body,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def who() -> Caller:
    return buyer()


def held_micros(who: Caller) -> int:
    """Return all that is frozen of a buyer's money."""
    holds = Hold.objects.filter(account__owner_id=who.organization_id)
    return sum(hold.open_micros for hold in holds)


def codes(refusal: pytest.ExceptionInfo[TermsRefused]) -> list[tuple[str, str]]:
    """Return where and what."""
    return [(fault.pointer, fault.code) for fault in refusal.value.faults]


@pytest.mark.parametrize(
    ("body", "cost"),
    [
        (bid_body, 2 * 3_000_000 * 4 + 240_000),
        (block_body, 2 * 3_000_000 * 2 + 120_000),
        (volume_body, 6 * 3_000_000 + 180_000),
    ],
)
def test_it_holds_limit_times_quantity_times_hours_and_the_fee(
    scene: Market, who: Caller, body: Any, cost: int
) -> None:
    card = place_bid(body(scene.auction), caller=who)
    bid = Bid.objects.get(public_id=card.public_id)
    assert (bid.state, bid.greatest_cost_micros) == (BidState.ACCEPTED, cost)
    assert held_micros(who) == cost
    assert Hold.objects.get().key == bid.hold_key == bid.public_id


def test_it_keeps_every_term_that_was_sent(scene: Market, who: Caller) -> None:
    body = block_body(
        scene.auction,
        starts_at=at(scene.auction, 1),
        latency_ms_max="5.5",
        gbps="0.25",
        renewable_share_min="0.3",
        regions=["beijing", "guizhou"],
        accelerators=[
            {"accelerator": "h100", "factor": "1"},
            {"accelerator": "ascend", "factor": "3.1"},
        ],
        group="训练 job/7",
        project="llm",
        label="night run",
    )
    open_project("llm", budget_micros=10**12, caller=who)
    bid = Bid.objects.get(public_id=place_bid(body, caller=who).public_id)
    assert bid.starts_at == scene.auction.starts_at + HOUR
    assert (bid.quantity_lots, bid.limit_ticks, bid.duration_minutes) == (2_000, 3_000, 120)
    assert (bid.latency_micros_max, bid.gbps_micros) == (5_500_000, 250_000)
    assert bid.renewable_micros_min == 300_000
    assert bid.regions == ["beijing", "guizhou"]
    assert bid.factors == {"h100": 1_000_000, "ascend": 3_100_000}
    assert (bid.group, bid.project, bid.label) == ("训练 job/7", "llm", "night run")
    assert bid.actor == actor_name(who)


def test_an_ai_model_stands_for_the_accelerators_that_it_fits(scene: Market, who: Caller) -> None:
    body = bid_body(scene.auction, accelerators=..., model="qwen-72b", dtype="bf16")
    card = place_bid(body, caller=who)
    # 144 GB of weights and a fifth for the rest: three of 80 GiB, or three of 64 GiB.
    assert dict(zip(card.terms.accelerators, card.terms.factors_micros, strict=True)) == {
        "ascend": 3_000_000,
        "h100": 3_000_000,
    }
    assert Bid.objects.filter(ai_model__code="qwen-72b", dtype="bf16").exists()


def test_a_bid_that_the_money_does_not_cover_leaves_nothing_behind(scene: Market) -> None:
    poor = buyer(24_240_000 - 1)
    with pytest.raises(InsufficientFunds):
        place_bid(bid_body(scene.auction), caller=poor)
    assert not Bid.objects.exists()
    assert not Hold.objects.exists()


def test_a_standing_bid_names_no_auction_and_waits_for_all(scene: Market, who: Caller) -> None:
    series_of("dearer", buyer_fee_ppm=20_000, price_cap_ticks=2_000_000)
    body = bid_body(scene.auction, time_in_force="standing", auction=...)
    card = place_bid(body, caller=who)
    assert (card.state, card.terms.auction_id) == (BidState.STANDING, None)
    assert card.terms.greatest_cost_micros == 24_000_000 + 480_000
    over = body | {"limit_price": "1000.001"}
    with pytest.raises(TermsRefused) as refusal:
        place_bid(over, caller=who)
    assert codes(refusal) == [("/limit_price", "limit_price_above_cap")]


@pytest.mark.parametrize("state", ["scheduled", "closed", "cleared", "published"])
def test_only_an_open_auction_takes_bids(scene: Market, who: Caller, state: str) -> None:
    Auction.objects.update(state=state)
    with pytest.raises(AuctionNotOpen):
        place_bid(bid_body(scene.auction), caller=who)
    assert not Bid.objects.exists()


def test_it_refuses_a_bid_at_the_closing_second(scene: Market, who: Caller) -> None:
    mark_as_play()
    set_market_time(scene.auction.closes_at - timedelta(minutes=1))
    place_bid(bid_body(scene.auction), caller=who)
    # The play's clock stands still within a database transaction, relative to its start.
    Auction.objects.update(closes_at=market_now())
    with pytest.raises(AuctionNotOpen):
        place_bid(bid_body(scene.auction), caller=who)
    assert Bid.objects.count() == 1


def test_a_frozen_market_takes_no_bids_but_lets_them_go(scene: Market, who: Caller) -> None:
    card = place_bid(bid_body(scene.auction), caller=who)
    MarketFreeze.objects.create(reason="a fault", actor="a test", frozen_at=market_now())
    with pytest.raises(MarketFrozen):
        place_bid(bid_body(scene.auction), caller=who)
    cancel_bid(card.public_id, caller=who)


def test_alternatives_of_a_job_hold_the_dearest_alone(scene: Market, who: Caller) -> None:
    prices = ["2.000", "5.000", "3.000"]
    for price in prices:
        place_bid(block_body(scene.auction, group="job", limit_price=price), caller=who)
    dearest = 2 * 2 * 5_000_000 * 101 // 100
    assert held_micros(who) == dearest
    keys = set(Bid.objects.values_list("hold_key", flat=True))
    assert len(keys) == 1
    assert Hold.objects.open().get().key in keys


def test_taking_back_the_dearest_alternative_frees_what_the_others_do_not_need(
    scene: Market, who: Caller
) -> None:
    cards = {
        price: place_bid(block_body(scene.auction, group="job", limit_price=price), caller=who)
        for price in ("2.000", "5.000")
    }
    cancel_bid(cards["5.000"].public_id, caller=who)
    assert held_micros(who) == 2 * 2 * 2_000_000 * 101 // 100
    cancel_bid(cards["2.000"].public_id, caller=who)
    assert held_micros(who) == 0


def test_a_group_that_grows_beyond_the_money_stays_as_it_was(scene: Market) -> None:
    poor = buyer(10_000_000)
    place_bid(block_body(scene.auction, group="job", limit_price="2.000"), caller=poor)
    with pytest.raises(InsufficientFunds):
        place_bid(block_body(scene.auction, group="job", limit_price="5.000"), caller=poor)
    assert held_micros(poor) == 8_080_000
    assert Bid.objects.get().hold_key == Hold.objects.open().get().key


def test_groups_of_one_name_in_two_auctions_are_two_jobs(scene: Market, who: Caller) -> None:
    other = auction_of(series_of("other"))
    for auction in (scene.auction, other):
        place_bid(block_body(auction, group="job"), caller=who)
    assert Hold.objects.open().count() == 2


def test_cancelling_frees_the_money_and_says_who(scene: Market, who: Caller) -> None:
    card = place_bid(bid_body(scene.auction), caller=who)
    bid = cancel_bid(card.public_id, caller=who, reason="plans changed")
    assert (bid.state, bid.reason_code) == (BidState.CANCELLED, "cancelled_by_buyer")
    assert (bid.reason_detail, bid.actor) == ("plans changed", actor_name(who))
    assert held_micros(who) == 0
    with pytest.raises(BidNotLive):
        cancel_bid(card.public_id, caller=who)


def test_a_bid_cannot_be_taken_back_behind_the_gate(scene: Market, who: Caller) -> None:
    card = place_bid(bid_body(scene.auction), caller=who)
    Auction.objects.update(state="closed")
    with pytest.raises(AuctionNotOpen):
        cancel_bid(card.public_id, caller=who)
    assert held_micros(who) == card.terms.greatest_cost_micros


def test_a_standing_bid_can_be_taken_back_unless_an_auction_is_clearing_it(
    scene: Market, who: Caller
) -> None:
    body = bid_body(scene.auction, time_in_force="standing", auction=...)
    kept, free = (place_bid(body, caller=who) for _ in range(2))
    scene.auction.bid_entries.create(bid=Bid.objects.get(public_id=kept.public_id))
    Auction.objects.update(state="closed")
    with pytest.raises(AuctionNotOpen):
        cancel_bid(kept.public_id, caller=who)
    cancel_bid(free.public_id, caller=who)
    Auction.objects.update(state="published")
    cancel_bid(kept.public_id, caller=who)


def test_nobody_cancels_the_bid_of_another(scene: Market, who: Caller) -> None:
    card = place_bid(bid_body(scene.auction), caller=who)
    with pytest.raises(BidNotFound):
        cancel_bid(card.public_id, caller=buyer())
