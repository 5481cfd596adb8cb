"""An auction from its gate to its contracts."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models.callers import Caller
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.foundation.money import LOTS
from exchange.models import (
    Auction,
    Bid,
    BidAnswer,
    BidFill,
    BidState,
    CellPrice,
    Offer,
    OfferFill,
    OfferVersion,
)
from exchange.services.auctions import close_auction
from exchange.services.bids import place_bid
from exchange.services.clearing import clear_auction
from exchange.services.publishing import publish_auction
from settlement.models import Contract, DeliveryPeriod, Hold
from tests.exchange.markets import Market, bid_body, block_body, buyer, market

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def archive(settings: LazySettings, tmp_path: Any) -> None:
    settings.ARCHIVE_DIR = tmp_path


@pytest.fixture
def scene() -> Market:
    mark_as_play()
    return market()


def offer_of(scene: Market, *, quantity: int = 10, ticks: int = 2_000) -> Offer:
    """Sell ``quantity`` h100 in all four hours of the auction."""
    chip = scene.site.capacities.get().accelerator
    offer = Offer.objects.create(
        provider=scene.provider, site=scene.site, accelerator=chip, state="active"
    )
    offer.terms = OfferVersion.objects.create(
        offer=offer,
        number=1,
        starts_at=scene.auction.starts_at,
        ends_at=scene.auction.ends_at,
        quantity_lots=quantity * LOTS,
        price_ticks=ticks,
        actor="a test",
    )
    offer.save()
    return offer


def close(auction: Auction) -> None:
    set_market_time(auction.closes_at + timedelta(minutes=1))
    assert close_auction(auction.pk)


def hold_through(auction: Auction) -> None:
    """Close, clear and publish."""
    close(auction)
    assert clear_auction(auction.pk), Auction.objects.get(pk=auction.pk).alarm_detail
    assert publish_auction(auction.pk)


def bid(body: dict[str, Any], who: Caller) -> Bid:
    return Bid.objects.get(public_id=place_bid(body, caller=who).public_id)


def test_it_fills_a_bid_at_one_price_and_opens_its_contract(scene: Market) -> None:
    offer_of(scene)
    who = buyer()
    mine = bid(bid_body(scene.auction), who)
    hold_through(scene.auction)
    mine.refresh_from_db()
    assert mine.state == BidState.FILLED
    assert [f.quantity_lots for f in BidFill.objects.order_by("period")] == [2 * LOTS] * 4
    assert [f.quantity_lots for f in OfferFill.objects.order_by("period")] == [2 * LOTS] * 4
    assert set(CellPrice.objects.values_list("price_ticks", flat=True)) == {2_000}
    contract = Contract.objects.get()
    assert (contract.buyer_id, contract.provider_id) == (who.organization_id, scene.provider.pk)
    periods = DeliveryPeriod.objects.filter(contract=contract)
    assert [p.buyer_price for p in periods] == [Decimal(2)] * 4
    assert Hold.objects.get(key=mine.hold_key).open_micros == 4 * (4_000_000 + 40_000)


def test_it_tells_a_block_that_was_too_cheap_what_it_would_have_cost(scene: Market) -> None:
    offer_of(scene)
    mine = bid(block_body(scene.auction, limit_price="1.000"), buyer())
    hold_through(scene.auction)
    mine.refresh_from_db()
    assert (mine.state, mine.reason_code) == ("unfilled", "out_of_the_money")
    assert BidAnswer.objects.get(bid=mine).cheapest_micros == 2_000_000
    assert Hold.objects.get(key=mine.hold_key).open_micros == 0
