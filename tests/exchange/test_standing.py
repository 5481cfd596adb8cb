"""A standing bid goes into every auction that covers its window, with what is left of it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import Auction, Bid, BidEntry, BidFill, BidState
from exchange.services.auctions import void_auction
from exchange.services.bids import cancel_bid
from exchange.services.clearing import clear_auction
from exchange.services.expiry import expire_orders
from exchange.services.gates import AuctionNotOpen
from settlement.models import Hold
from settlement.queries.audit import audit_books
from tests.exchange.markets import (
    HOUR,
    Market,
    auction_of,
    bid_body,
    block_body,
    buyer,
    market,
    volume_body,
)
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import caller, operator

pytestmark = pytest.mark.django_db

STANDING: dict[str, Any] = {"time_in_force": "standing", "auction": ...}


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


@pytest.fixture
def next_auction(scene: Market) -> Auction:
    """Return an auction over the same hours whose gate is an hour later."""
    return auction_of(scene.series, closes_at=scene.auction.closes_at + HOUR)


def held(one: Bid) -> int:
    return Hold.objects.get(key=one.hold_key).open_micros


def got(one: Bid, auction: Auction) -> list[int]:
    fills = BidFill.objects.filter(bid=one, auction=auction).order_by("period")
    return list(fills.values_list("quantity_lots", flat=True))


def books_hold() -> bool:
    return all(finding.holds for finding in audit_books())


def test_it_takes_what_there_is_and_comes_back_for_the_rest(
    scene: Market, next_auction: Auction
) -> None:
    offer_of(scene, quantity=3)
    one = bid(bid_body(scene.auction, **STANDING, quantity="5"), buyer())
    whole = held(one)
    assert whole == 5 * 4 * 3_030_000
    hold_through(scene.auction)
    one.refresh_from_db()
    assert (one.state, got(one, scene.auction)) == ("standing", [3_000] * 4)
    first_cost = sum(fill * 3_030 for fill in got(one, scene.auction))
    assert held(one) == 2 * 4 * 3_030_000 + first_cost  # scarce: the price is the limit
    offer_of(scene, quantity=9)
    hold_through(next_auction)
    one.refresh_from_db()
    assert (one.state, got(one, next_auction)) == ("filled", [2_000] * 4)
    assert held(one) == first_cost + 2 * 4 * 2_020_000
    assert books_hold()


def test_it_is_cut_to_the_part_of_its_window_that_an_auction_sells(scene: Market) -> None:
    offer_of(scene)
    body = bid_body(
        scene.auction,
        **STANDING,
        starts_at=(scene.auction.starts_at - 2 * HOUR).isoformat(),
        ends_at=(scene.auction.starts_at + 3 * HOUR).isoformat(),
    )
    one = bid(body, buyer())
    hold_through(scene.auction)
    one.refresh_from_db()
    assert (one.state, got(one, scene.auction)) == ("filled", [2_000] * 3)


def test_an_auction_that_does_not_cover_its_window_leaves_it_alone(scene: Market) -> None:
    offer_of(scene)
    body = bid_body(scene.auction, **STANDING, ends_at=(scene.auction.ends_at + HOUR).isoformat())
    one = bid(body, buyer())
    hold_through(scene.auction)
    assert not BidEntry.objects.exists()
    one.refresh_from_db()
    assert one.state == BidState.STANDING


def test_it_is_in_one_undecided_book_at_a_time(scene: Market, next_auction: Auction) -> None:
    one = bid(bid_body(scene.auction, **STANDING), buyer())
    close(scene.auction)
    close(next_auction)
    assert list(BidEntry.objects.values_list("bid", "auction")) == [(one.pk, scene.auction.pk)]


def test_it_cannot_be_taken_back_while_a_book_that_it_is_in_is_undecided(scene: Market) -> None:
    who = buyer()
    one = bid(bid_body(scene.auction, **STANDING), who)
    close(scene.auction)
    with pytest.raises(AuctionNotOpen):
        cancel_bid(one.public_id, caller=who)


def test_it_outlives_an_auction_that_is_voided(scene: Market, next_auction: Auction) -> None:
    offer_of(scene)
    one = bid(bid_body(scene.auction, **STANDING), buyer())
    close(scene.auction)
    clear_auction(scene.auction.pk)
    auction = Auction.objects.get(pk=scene.auction.pk)
    void_auction(auction, reason="a test", actor=caller(operator()))
    one.refresh_from_db()
    assert one.state == BidState.STANDING
    hold_through(next_auction)
    assert got(one, next_auction) == [2_000] * 4


def test_a_volume_bid_comes_back_for_the_work_that_is_left(
    scene: Market, next_auction: Auction
) -> None:
    offer_of(scene, quantity=1)
    one = bid(volume_body(scene.auction, **STANDING), buyer())
    hold_through(scene.auction)
    assert sum(got(one, scene.auction)) == 4_000
    offer_of(scene, quantity=9)
    hold_through(next_auction)
    one.refresh_from_db()
    assert (one.state, sum(got(one, next_auction))) == ("filled", 2_000)


def test_once_one_alternative_is_taken_the_others_end(scene: Market) -> None:
    offer_of(scene)
    who = buyer()
    bodies = [
        block_body(scene.auction, **STANDING, group="job", quantity=quantity)
        for quantity in ("4", "2")
    ]
    large, small = (bid(body, who) for body in bodies)
    hold_through(scene.auction)
    large.refresh_from_db()
    small.refresh_from_db()
    assert (large.state, small.state) == ("filled", "unfilled")
    assert small.reason_code == "other_alternative"
    assert held(large) == 4 * 2 * 2_020_000
    assert books_hold()


def test_it_expires_when_it_could_no_longer_start(scene: Market) -> None:
    block, hourly = (
        bid(body(scene.auction, **STANDING), buyer()) for body in (block_body, bid_body)
    )
    set_market_time(scene.auction.ends_at - HOUR)
    assert expire_orders() == 1
    block.refresh_from_db()
    assert (block.state, block.reason_code, held(block)) == ("expired", "window_over", 0)
    set_market_time(scene.auction.ends_at + timedelta(minutes=10))
    assert expire_orders() == 1
    assert held(hourly) == 0


def test_what_got_a_part_ends_partially_filled_and_frees_the_rest(scene: Market) -> None:
    offer_of(scene, quantity=1)
    one = bid(bid_body(scene.auction, **STANDING), buyer())
    hold_through(scene.auction)
    contracted = sum(got(one, scene.auction)) * 3_030
    set_market_time(scene.auction.ends_at + timedelta(minutes=10))
    assert expire_orders() == 1
    one.refresh_from_db()
    assert (one.state, held(one)) == ("partially_filled", contracted)
    assert books_hold()


def test_an_offer_expires_with_its_time(scene: Market) -> None:
    offer = offer_of(scene)
    set_market_time(scene.auction.ends_at + timedelta(minutes=10))
    expire_orders()
    offer.refresh_from_db()
    assert (offer.state, offer.reason_code) == ("expired", "window_over")
