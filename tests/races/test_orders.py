"""Orders on real connections: whoever comes first wins, and nobody gets half of anything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.db import connection, transaction

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS
from exchange.models import Auction, Bid, BidState, Offer, OfferState
from exchange.services import bids, offers
from exchange.services.gates import AuctionNotOpen
from settlement.models import Hold
from settlement.services.holds import InsufficientFunds
from tests.exchange.markets import (
    Market,
    bid_body,
    block_body,
    buyer,
    give_money,
    market,
    offer_body,
)
from tests.factories import OrganizationFactory, api, caller

pytestmark = pytest.mark.django_db(transaction=True)
Found = TypeVar("Found")
COST = 24_240_000


@pytest.fixture
def scene() -> Market:
    return market()


def together(*deeds: Callable[[], Found]) -> list[Found | Exception]:
    """Do all deeds at once, each on a connection of its own; return what each gave or raised."""
    start = Barrier(len(deeds))

    def do(deed: Callable[[], Found]) -> Found | Exception:
        try:
            start.wait(timeout=20)
            return deed()
        except Exception as refusal:  # noqa: BLE001 - the refusal is what a race is about
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))


def kinds(found: list[Any]) -> list[str]:
    """Return the names of the refusals."""
    return sorted(type(one).__name__ for one in found if isinstance(one, Exception))


def test_two_bidders_do_not_wait_for_each_other_at_the_gate(scene: Market) -> None:
    first, second = buyer(), buyer()
    with transaction.atomic():
        bids.place_bid(bid_body(scene.auction), caller=first)
        (placed,) = together(lambda: bids.place_bid(bid_body(scene.auction), caller=second))
    assert not isinstance(placed, Exception)
    assert Bid.objects.count() == 2


def test_the_gate_waits_for_a_bidder_and_whoever_comes_after_it_finds_it_closed(
    scene: Market,
) -> None:
    early, late = buyer(), buyer()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            bids.place_bid(bid_body(scene.auction), caller=early)
            gate = pool.submit(_update_in_a_thread, scene.auction.pk)
            with pytest.raises(TimeoutError):
                gate.result(timeout=0.5)
            assert Auction.objects.get().state == "open"
        gate.result(timeout=20)
    with pytest.raises(AuctionNotOpen):
        bids.place_bid(bid_body(scene.auction), caller=late)
    assert Bid.objects.get().organization_id == early.organization_id


def _update_in_a_thread(auction_id: int) -> None:
    """Close the gate as its service does: by one guarded UPDATE."""
    try:
        Auction.objects.filter(pk=auction_id, state="open").update(state="closed")
    finally:
        connection.close()


def test_a_bidder_who_waits_for_a_closing_gate_is_refused(scene: Market) -> None:
    who = buyer()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Auction.objects.filter(state="open").update(state="closed")
            late = pool.submit(_place_in_a_thread, scene.auction, who)
            with pytest.raises(TimeoutError):
                late.result(timeout=0.5)
        with pytest.raises(AuctionNotOpen):
            late.result(timeout=20)
    assert not Bid.objects.exists()
    assert not Hold.objects.exists()


def _place_in_a_thread(auction: Auction, who: Caller) -> Any:
    try:
        return bids.place_bid(bid_body(auction), caller=who)
    finally:
        connection.close()


def test_a_cancel_and_the_gate_leave_a_bid_either_in_the_book_or_out_of_it(
    scene: Market,
) -> None:
    who = buyer()
    for _ in range(5):
        Auction.objects.update(state="open")
        card = bids.place_bid(bid_body(scene.auction), caller=who)
        found = together(
            lambda: bids.cancel_bid(card.public_id, caller=who),  # noqa: B023
            lambda: Auction.objects.filter(state="open").update(state="closed"),
        )
        bid = Bid.objects.get(public_id=card.public_id)
        cancelled = bid.state == BidState.CANCELLED
        assert cancelled == (kinds(found) == [])
        assert kinds(found) in ([], ["AuctionNotOpen"])
        assert Hold.objects.get(key=bid.hold_key).open_micros == (0 if cancelled else COST)


def test_the_same_bid_cannot_be_cancelled_twice_at_once(scene: Market) -> None:
    who = buyer()
    card = bids.place_bid(bid_body(scene.auction), caller=who)
    deed = lambda: bids.cancel_bid(card.public_id, caller=who)  # noqa: E731
    assert kinds(together(deed, deed, deed)) == ["BidNotLive", "BidNotLive"]
    assert Hold.objects.open().count() == 0


def test_money_for_one_bid_covers_one_of_two(scene: Market) -> None:
    who = buyer(COST)
    deed = lambda: bids.place_bid(bid_body(scene.auction), caller=who)  # noqa: E731
    assert kinds(together(deed, deed, deed)) == [InsufficientFunds.__name__] * 2
    assert Bid.objects.count() == Hold.objects.count() == 1


def test_alternatives_that_come_at_once_share_one_hold(scene: Market) -> None:
    who = buyer()
    prices = ["2.000", "5.000", "3.000", "4.000"]
    placed = together(*(_alternative(scene.auction, price, who) for price in prices))
    assert kinds(placed) == []
    assert len(set(Bid.objects.values_list("hold_key", flat=True))) == 1
    assert Hold.objects.open().get().open_micros == 2 * 2 * 5_000_000 * 101 // 100


def _alternative(auction: Auction, price: str, who: Caller) -> Callable[[], Any]:
    body = block_body(auction, group="job", limit_price=price)
    return lambda: bids.place_bid(body, caller=who)


def test_offers_that_race_for_the_same_capacity_never_promise_more_than_there_is(
    scene: Market,
) -> None:
    seller = caller(scene.provider)
    body = offer_body(scene.auction, quantity="40")
    deed = lambda: offers.create_offer(body, caller=seller)  # noqa: E731
    found = together(*[deed] * 4)
    assert kinds(found) == ["CapacityExceeded", "CapacityExceeded"]
    assert Offer.objects.filter(state=OfferState.ACTIVE).count() == 2


def test_an_edit_and_a_new_offer_cannot_both_take_what_is_free(scene: Market) -> None:
    seller = caller(scene.provider)
    first = offers.create_offer(offer_body(scene.auction, quantity="50"), caller=seller)
    found = together(
        lambda: offers.edit_offer(first.public_id, {"quantity": "100"}, version=1, caller=seller),
        lambda: offers.create_offer(offer_body(scene.auction, quantity="50"), caller=seller),
    )
    assert kinds(found) == ["CapacityExceeded"]
    live = Offer.objects.with_terms().filter(state=OfferState.ACTIVE)
    assert sum(offer.terms.quantity_lots for offer in live if offer.terms) == 100 * LOTS


def test_of_two_edits_of_one_version_one_is_told_that_it_lost(scene: Market) -> None:
    seller = caller(scene.provider)
    offer = offers.create_offer(offer_body(scene.auction), caller=seller)
    prices = ("2.100", "2.200")
    edits = (_edit(offer, price, seller) for price in prices)
    assert kinds(together(*edits)) == ["OfferChanged"]
    assert offer.versions.count() == 2


def _edit(offer: Offer, price: str, seller: Caller) -> Callable[[], Any]:
    return lambda: offers.edit_offer(offer.public_id, {"price": price}, version=1, caller=seller)


def test_the_same_idempotency_key_at_once_places_one_bid(scene: Market) -> None:
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, 10**12)
    client = api(organization)
    body, headers = bid_body(scene.auction), {"Idempotency-Key": "once"}
    deed = lambda: client.post("/api/v1/bids", body, headers=headers).status_code  # noqa: E731
    statuses = together(*[deed] * 4)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert Bid.objects.count() == Hold.objects.count() == 1
    assert client.post("/api/v1/bids", body, headers=headers).status_code == 201
    assert Bid.objects.count() == 1
