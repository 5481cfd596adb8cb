"""Auctions over the same hours share links and power: the later one gets what the first left."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from exchange.engine.book import Book
from exchange.foundation.market_time import mark_as_play
from exchange.foundation.money import LOTS, MICROS
from exchange.models import (
    Auction,
    BidFill,
    Link,
    OfferFill,
    PowerBudget,
)
from exchange.queries.books import read_book
from exchange.services.auctions import void_auction
from exchange.services.clearing import clear_auction
from tests.exchange.markets import HOUR, Market, auction_of, bid_body, buyer, limit_link, market
from tests.exchange.trading import bid, close, hold_through, offer_of
from tests.factories import caller, operator

pytestmark = pytest.mark.django_db
ACCELERATOR_KW_MICROS = 840_000  # 700 W at a PUE of 1.2


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def later(scene: Market, **changes: object) -> Auction:
    """Return an auction over the same hours whose gate closes later."""
    return auction_of(
        scene.series,
        closes_at=scene.auction.closes_at + timedelta(minutes=30),
        starts_at=scene.auction.starts_at,
        ends_at=scene.auction.ends_at,
        **changes,
    )


def limit_power(scene: Market, accelerators: int) -> None:
    PowerBudget.objects.create(
        region=scene.site.region,
        kw_micros=accelerators * ACCELERATOR_KW_MICROS,
        starts_at=scene.auction.starts_at,
    )


def most_sold(auctions: list[Auction]) -> int:
    """Return the accelerators sold in the first hour, by all of these auctions."""
    start = auctions[0].starts_at
    fills = OfferFill.objects.filter(
        auction__in=auctions, starts_at__lte=start, ends_at__gt=start
    ).values_list("quantity_lots", flat=True)
    return sum(fills) // LOTS


def closed_book(auction: Auction) -> Book:
    close(auction)
    return read_book(Auction.objects.get(pk=auction.pk))


def far_body(auction: Auction, quantity: int) -> dict[str, str]:
    return bid_body(auction, origin="guizhou", gbps="2", quantity=str(quantity))


def test_a_later_auction_fills_a_link_only_as_far_as_the_first_left_it(scene: Market) -> None:
    offer_of(scene)
    limit_link(6)  # room for three accelerators at two Gbps each
    second = later(scene)
    bid(far_body(scene.auction, 2), buyer())
    hold_through(scene.auction)
    bid(far_body(second, 2), buyer())
    hold_through(second)
    assert BidFill.objects.filter(auction=scene.auction, quantity_lots=2 * LOTS).count() == 4
    assert most_sold([scene.auction, second]) == 3


def test_a_later_auction_draws_only_the_power_that_the_first_left(scene: Market) -> None:
    offer_of(scene)
    limit_power(scene, 3)
    second = later(scene)
    bid(bid_body(scene.auction, quantity="2"), buyer())
    hold_through(scene.auction)
    bid(bid_body(second, quantity="2"), buyer())
    hold_through(second)
    assert most_sold([scene.auction, second]) == 3


def test_the_book_says_what_is_left_period_by_period(scene: Market) -> None:
    offer_of(scene)
    limit_link(6)
    limit_power(scene, 10)
    second = later(scene, period_minutes=30, periods=8)
    body = far_body(scene.auction, 2)
    body["ends_at"] = (scene.auction.starts_at + HOUR).isoformat()
    bid(body, buyer())
    hold_through(scene.auction)
    book = closed_book(second)
    row = [str(name) for name in book.links].index("gz.bj")
    assert book.link_gbps_micros[row].tolist() == [2 * MICROS] * 2 + [6 * MICROS] * 6
    region = [str(name) for name in book.regions].index("beijing")
    kw = ACCELERATOR_KW_MICROS
    assert book.power_kw_micros[region].tolist() == [8 * kw] * 2 + [10 * kw] * 6


def test_what_a_lowered_limit_no_longer_has_room_for_leaves_nothing(scene: Market) -> None:
    offer_of(scene)
    link = limit_link(6)
    second = later(scene)
    bid(far_body(scene.auction, 2), buyer())
    hold_through(scene.auction)
    Link.objects.filter(pk=link.pk).update(gbps_micros=MICROS)
    book = closed_book(second)
    row = [str(name) for name in book.links].index("gz.bj")
    assert set(book.link_gbps_micros[row].tolist()) == {0}


def test_a_voided_auction_leaves_the_limits_whole(scene: Market) -> None:
    offer_of(scene)
    limit_link(6)
    second = later(scene)
    bid(far_body(scene.auction, 2), buyer())
    close(scene.auction)
    assert clear_auction(scene.auction.pk)
    void_auction(
        Auction.objects.get(pk=scene.auction.pk), reason="a wrong cap", actor=caller(operator())
    )
    book = closed_book(second)
    row = [str(name) for name in book.links].index("gz.bj")
    assert set(book.link_gbps_micros[row].tolist()) == {6 * MICROS}
