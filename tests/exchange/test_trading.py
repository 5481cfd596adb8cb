"""An auction from its gate to its contracts."""

from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings

from exchange.foundation.market_time import mark_as_play
from exchange.foundation.money import LOTS
from exchange.models import (
    BidAnswer,
    BidFill,
    BidState,
    CellPrice,
    OfferFill,
)
from settlement.models import Contract, DeliveryPeriod, Hold
from tests.exchange.markets import Market, bid_body, block_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def archive(settings: LazySettings, tmp_path: Any) -> None:
    settings.ARCHIVE_DIR = tmp_path


@pytest.fixture
def scene() -> Market:
    mark_as_play()
    return market()


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
