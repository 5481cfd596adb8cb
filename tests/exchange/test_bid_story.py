"""A bid tells where it stood, what it got at which price, and why not more."""

import pytest

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS
from exchange.models import Auction, Bid, BidAnswer, BidFill, CellPrice, Route
from exchange.queries.bids import events_of, fills_of
from exchange.services.bids import place_bid
from tests.exchange.markets import HOUR, Market, bid_body, buyer, market, standing_body

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def who() -> Caller:
    return buyer()


def fill(scene: Market, bid: Bid) -> None:
    """Let the auction have given the bid one accelerator in its second hour, at 2.500."""
    chip = scene.site.capacities.get().accelerator
    BidFill.objects.create(
        auction=scene.auction,
        bid=bid,
        site=scene.site,
        accelerator=chip,
        route=Route.objects.get(code="beijing-beijing"),
        period=1,
        starts_at=scene.auction.starts_at + HOUR,
        ends_at=scene.auction.starts_at + 2 * HOUR,
        quantity_lots=LOTS,
    )
    CellPrice.objects.create(
        auction=scene.auction, site=scene.site, accelerator=chip, period=1, price_ticks=2_500
    )
    BidAnswer.objects.create(
        auction=scene.auction,
        bid=bid,
        answer="partially_filled",
        detail="capacity ran out",
        filled_lot_minutes=60 * LOTS,
    )


def publish(auction: Auction) -> None:
    """Let the auction have been closed and published in the past."""
    Auction.objects.update(
        state="published", closed_at=auction.opens_at, published_at=auction.opens_at + HOUR
    )


@pytest.mark.parametrize("make", [bid_body, standing_body])
def test_it_names_every_step_and_every_price(scene: Market, who: Caller, make: object) -> None:
    assert callable(make)
    card = place_bid(make(scene.auction), caller=who)
    bid = Bid.objects.get(public_id=card.public_id)
    if bid.auction is None:
        bid.entries.create(auction=scene.auction)
    fill(scene, bid)
    publish(scene.auction)
    Bid.objects.update(placed_at=scene.auction.opens_at - HOUR)
    bid = Bid.objects.select_related("auction").get()
    told = [(event.event, event.told.get("auction")) for event in events_of(bid, who)]
    name = scene.auction.public_id
    assert told == [("accepted", None), ("entered", name), ("answered", name)]
    answered = events_of(bid, who)[-1].told
    assert (answered["answer"], answered["detail"]) == ("partially_filled", "capacity ran out")
    (got,) = fills_of(bid, who)
    assert (got.site, got.accelerator, got.route) == ("bj-1", "h100", "beijing-beijing")
    assert (got.quantity_lots, got.price_ticks) == (LOTS, 2_500)


@pytest.mark.parametrize("state", ["closed", "cleared"])
def test_nothing_is_told_of_a_result_before_it_is_published(
    scene: Market, who: Caller, state: str
) -> None:
    bid = Bid.objects.get(public_id=place_bid(bid_body(scene.auction), caller=who).public_id)
    fill(scene, bid)
    Auction.objects.update(state=state, closed_at=scene.auction.closes_at)
    bid = Bid.objects.select_related("auction").get()
    assert [event.event for event in events_of(bid, who)] == ["accepted", "entered"]
    assert fills_of(bid, who) == []
