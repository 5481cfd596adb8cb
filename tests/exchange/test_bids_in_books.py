"""What the doors take, the book takes; and what it costs the database to take it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models.callers import Caller
from exchange.models import Auction, BidKind
from exchange.queries.books import read_book
from exchange.services.auctions import close_auction
from exchange.services.bids import place_bid
from exchange.services.bulk_bids import place_bids
from exchange.services.offers import create_offer
from tests.exchange.markets import (
    Market,
    at,
    bid_body,
    block_body,
    buyer,
    market,
    offer_body,
    standing_body,
    volume_body,
)
from tests.factories import caller

pytestmark = pytest.mark.django_db
STATEMENTS_OF_A_BID = 3  # the gate with all rules, the hold, the row


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def who() -> Caller:
    return buyer(10**15)


def test_every_kind_of_bid_that_is_taken_stands_in_the_book_as_it_was_said(
    scene: Market, who: Caller
) -> None:
    create_offer(offer_body(scene.auction), caller=caller(scene.provider))
    auction = scene.auction
    model = {"accelerators": ..., "model": "qwen-72b", "dtype": "int4"}
    bodies = [
        bid_body(auction, quantity="0.001", limit_price="0", latency_ms_max="0.000001"),
        bid_body(auction, gbps="999.999999", renewable_share_min="1", **model),
        block_body(auction, group="a job", limit_price="1000.000"),
        block_body(auction, group="a job", duration="4", quantity="1000000"),
        volume_body(auction, volume="7.999", regions=["guizhou", "beijing"]),
        volume_body(auction, volume="0.001", starts_at=at(auction, 3)),
        standing_body(auction, quantity="3.5"),
    ]
    cards = [place_bid(body, caller=who) for body in bodies]
    cards += [
        answer
        for answer in place_bids(bodies, caller=who, atomic=False)
        if not isinstance(answer, Exception)
    ]
    Auction.objects.update(closes_at=auction.opens_at.replace(minute=1))
    assert close_auction(auction.pk)
    book = read_book(Auction.objects.get(pk=auction.pk))
    named = {str(name).partition("~")[0]: row for row, name in enumerate(book.bids.names)}
    assert set(named) == {card.public_id for card in cards}
    assert len(cards) == 2 * len(bodies)
    kinds = {"hourly": 0, "block": 1, "volume": 2}
    for card in cards:
        row, terms = named[card.public_id], card.terms
        assert book.bids.kind[row] == kinds[terms.kind]
        assert book.bids.quantity_lots[row] == terms.quantity_lots
        assert book.bids.price_ticks[row] == terms.limit_ticks
        assert book.bids.volume_lots[row] == (terms.volume_lot_minutes or 0) // 60
        assert book.bids.duration[row] == (terms.duration_minutes or 0) // 60
    assert len(book.groups) == 1
    assert set(kinds) == set(BidKind.values)


def test_a_bid_costs_three_statements(scene: Market, who: Caller) -> None:
    place_bid(bid_body(scene.auction), caller=who)  # reads the catalogue
    with CaptureQueriesContext(connection) as asked:
        place_bid(bid_body(scene.auction), caller=who)
    said = [query["sql"].split()[0] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(said) == STATEMENTS_OF_A_BID, said


def test_a_bulk_costs_as_many_statements_as_it_has_steps(scene: Market, who: Caller) -> None:
    def statements(count: int) -> int:
        bodies = [bid_body(scene.auction) for _ in range(count)]
        with CaptureQueriesContext(connection) as asked:
            place_bids(bodies, caller=who, atomic=False)
        return len(asked)

    statements(1)
    assert statements(2) == statements(200)


def test_a_changed_catalogue_is_seen_by_the_next_bid(scene: Market, who: Caller) -> None:
    place_bid(bid_body(scene.auction), caller=who)
    chip = scene.site.capacities.get().accelerator
    type(chip).objects.filter(pk=chip.pk).update(tradable=False)
    (answer,) = place_bids([bid_body(scene.auction)], caller=who, atomic=False)
    assert [error["code"] for error in getattr(answer, "errors", [])] == ["accelerator_not_traded"]
