"""A preview tells what the auction published last would have done with the bid."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from exchange.foundation.market_time import mark_as_play
from exchange.models import Auction, ClearingResult
from exchange.queries.archive_files import folders_of
from exchange.queries.archived_books import _read
from exchange.queries.published_boards import _board
from exchange.services.bids import place_bid
from exchange.services.clearing import clear_auction
from exchange.services.offers import create_offer
from exchange.services.publishing import publish_auction
from tests.api.test_bid_previews import preview
from tests.exchange.markets import (
    HOUR,
    Market,
    auction_of,
    bid_body,
    block_body,
    buyer,
    give_money,
    market,
    offer_body,
    volume_body,
)
from tests.exchange.trading import close
from tests.factories import OrganizationFactory, api, caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> APIClient:
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, 30_000_000)
    return api(organization)


@pytest.fixture
def scene(settings: Any, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


@pytest.fixture
def tomorrow(scene: Market) -> Auction:
    """Sell 6 of 10 at 2.000 a day before, and give the next auction of the series."""
    create_offer(offer_body(scene.auction), caller=caller(scene.provider))
    place_bid(bid_body(scene.auction, quantity="6"), caller=buyer())
    close(scene.auction)
    assert clear_auction(scene.auction.pk)
    assert publish_auction(scene.auction.pk)
    day = 24 * HOUR
    starts_at = scene.auction.starts_at + day
    return auction_of(scene.series, starts_at=starts_at, ends_at=scene.auction.ends_at + day)


def looked_back(client: APIClient, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = preview(client, body)["last_auction"]
    return found


def test_it_names_the_price_and_the_site_at_which_the_bid_would_have_been_filled(
    scene: Market, tomorrow: Auction, client: APIClient
) -> None:
    said = looked_back(client, bid_body(tomorrow))
    assert (said["auction"], said["moved_days"]) == (scene.auction.public_id, 1)
    assert (said["outcome"], said["moves_prices"], said["changes"]) == ("filled", False, [])
    assert (said["average_price"], said["needed_price"]) == ("2.000000", "2.000")
    assert (said["filled_unit_hours"], said["wanted_unit_hours"]) == ("8.000", "8.000")
    [place] = said["placements"]
    assert (place["site"], place["unit_hours"]) == ("bj-1", "8.000")


@pytest.mark.parametrize("body", [bid_body, block_body, volume_body])
def test_a_bid_below_the_price_is_told_the_limit_that_would_have_done(
    tomorrow: Auction, client: APIClient, body: Any
) -> None:
    said = looked_back(client, body(tomorrow, limit_price="1.000"))
    assert (said["outcome"], said["placements"]) == ("outbid", [])
    assert {"limit_price": "2.000"} in said["changes"]


def test_every_change_that_it_names_would_have_filled_the_bid(
    tomorrow: Auction, client: APIClient
) -> None:
    body = block_body(tomorrow, quantity="8", limit_price="2.500")
    said = looked_back(client, body)
    assert said["outcome"] == "sold_out"
    assert said["changes"] == [{"limit_price": "3.000"}, {"quantity": "4.000"}]
    for change in said["changes"]:
        assert looked_back(client, body | change)["outcome"] == "filled"


def test_a_bid_that_no_published_auction_covers_gets_no_answer(
    scene: Market, client: APIClient
) -> None:
    create_offer(offer_body(scene.auction), caller=caller(scene.provider))
    assert looked_back(client, bid_body(scene.auction)) is None


def test_a_damaged_archive_costs_the_answer_and_not_the_preview(
    scene: Market, tomorrow: Auction, client: APIClient
) -> None:
    _read.cache_clear()
    _board.cache_clear()
    result = ClearingResult.objects.get(auction=scene.auction)
    for folder in folders_of(result).values():
        for path in folder.glob("*.csv"):
            path.unlink()
    assert looked_back(client, bid_body(tomorrow)) is None


def test_days_are_counted_back_to_a_window_that_was_sold(
    scene: Market, tomorrow: Auction, client: APIClient
) -> None:
    later = timedelta(days=3)
    far = auction_of(
        scene.series,
        closes_at=tomorrow.closes_at + HOUR,
        starts_at=tomorrow.starts_at + later,
        ends_at=tomorrow.ends_at + later,
    )
    assert looked_back(client, bid_body(far))["moved_days"] == 4
