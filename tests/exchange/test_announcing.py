"""What the market tells the outbox when an auction is published, or bids end."""

from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import EventType, Organization, OutboxEvent
from exchange.foundation.market_time import mark_as_play
from exchange.services.auctions import void_auction
from tests.accounts.endpoints import an_endpoint, an_owner
from tests.exchange.markets import Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import caller, operator

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def archive(settings: LazySettings, tmp_path: Any) -> None:
    settings.ARCHIVE_DIR = tmp_path


@pytest.fixture
def scene() -> Market:
    mark_as_play()
    return market()


def told(kind: EventType, organization_id: int | None) -> list[dict[str, Any]]:
    rows = OutboxEvent.objects.filter(type=kind, organization=organization_id)
    return [row.data for row in rows.order_by("pk")]


def test_everybody_is_told_that_an_auction_is_published(scene: Market) -> None:
    offer_of(scene)
    hold_through(scene.auction)

    (said,) = told(EventType.AUCTION_PUBLISHED, None)

    assert said["auction"] == scene.auction.public_id


def test_each_party_is_told_what_the_auction_brought(scene: Market) -> None:
    offer_of(scene)
    who = buyer()
    bid(bid_body(scene.auction), who)
    bid(bid_body(scene.auction, limit_price="0.001"), who)
    hold_through(scene.auction)

    (bought,) = told(EventType.AUCTION_DECIDED, who.organization_id)
    (sold,) = told(EventType.AUCTION_DECIDED, scene.provider.pk)

    assert (bought["bids"], bought["filled"], bought["contracts_bought"]) == (2, 1, 1)
    assert (sold["bids"], sold["contracts_sold"]) == (0, 1)


def test_who_listens_is_told_of_each_bid(scene: Market) -> None:
    offer_of(scene)
    who, deaf = buyer(), buyer()
    an_endpoint(
        owner=an_owner(Organization.objects.get(pk=who.organization_id)), types=["bid.decided"]
    )
    won = bid(bid_body(scene.auction), who)
    lost = bid(bid_body(scene.auction, limit_price="0.001"), who)
    bid(bid_body(scene.auction), deaf)
    hold_through(scene.auction)

    said = {each["bid"]: each for each in told(EventType.BID_DECIDED, who.organization_id)}

    assert (said[won.public_id]["state"], said[won.public_id]["answer"]) == ("filled", "filled")
    assert said[lost.public_id]["state"] == "unfilled"
    assert said[lost.public_id]["answer"] == "out_of_the_money"
    assert told(EventType.BID_DECIDED, deaf.organization_id) == []


def test_who_listens_is_told_that_its_auction_was_called_off(scene: Market) -> None:
    who = buyer()
    an_endpoint(owner=an_owner(Organization.objects.get(pk=who.organization_id)))
    mine = bid(bid_body(scene.auction), who)

    void_auction(scene.auction, reason="a test", actor=caller(operator()))

    (said,) = told(EventType.BID_DECIDED, who.organization_id)
    assert (said["bid"], said["state"], said["answer"]) == (
        mine.public_id,
        "cancelled",
        "auction_voided",
    )
