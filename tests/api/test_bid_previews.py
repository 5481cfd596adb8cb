"""A preview names what stands against a bid, and the body that would place it."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from exchange.api.bid_previews import PreviewSerializer
from exchange.models import Auction, Bid
from exchange.services.offers import create_offer
from settlement.models import Hold
from tests.api.test_bids import post
from tests.exchange.markets import (
    HOUR,
    Market,
    at,
    auction_of,
    bid_body,
    block_body,
    capacity_of,
    give_money,
    market,
    offer_body,
    volume_body,
)
from tests.factories import OrganizationFactory, api, caller

pytestmark = pytest.mark.django_db
PREVIEWS = "/api/v1/bid_previews"


@pytest.fixture
def scene() -> Market:
    found = market()
    create_offer(offer_body(found.auction), caller=caller(found.provider))
    return found


@pytest.fixture
def buyer() -> Organization:
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, 30_000_000)
    return organization


@pytest.fixture
def client(buyer: Organization) -> APIClient:
    return api(buyer)


def preview(client: APIClient, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a preview."""
    answer = client.post(PREVIEWS, body)
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()
    assert set(said) == set(PreviewSerializer().fields)
    return said


@pytest.mark.parametrize("body", [bid_body, block_body, volume_body])
def test_the_body_it_returns_places_the_bid_at_the_cost_it_told(
    scene: Market, client: APIClient, body: Any
) -> None:
    said = preview(client, body(scene.auction))
    assert (said["can_be_served"], said["is_covered"], said["changes"]) == (True, True, [])
    assert (said["needed_price"], said["available"]) == ("2.000", "30.000000")
    assert not Bid.objects.exists()
    assert not Hold.objects.exists()
    placed = post(client, "/api/v1/bids", said["bid"])
    assert placed.status_code == 201, placed.content
    assert placed.json()["greatest_cost"] == said["greatest_cost"]


def test_a_model_is_previewed_on_what_it_fits(scene: Market, client: APIClient) -> None:
    body = bid_body(scene.auction, accelerators=..., model="qwen-72b", dtype="bf16", quantity="1")
    said = preview(client, body)
    assert "accelerators" not in said["bid"]
    assert said["needed_price"] == "6.000"
    assert said["changes"][0] == {"limit_price": "6.000"}
    assert post(client, "/api/v1/bids", said["bid"]).status_code == 201


def test_it_names_the_rule_that_excluded_the_capacity_and_what_would_help(
    scene: Market, client: APIClient
) -> None:
    far = bid_body(scene.auction, origin="guizhou", latency_ms_max="10")
    said = preview(client, far)
    assert (said["can_be_served"], said["decisive"]) == (False, "latency_ms_max")
    sieves = {sieve["constraint"]: sieve for sieve in said["screening"]}
    assert sieves["latency_ms_max"] == {
        "constraint": "latency_ms_max",
        "excluded": "40.000",
        "left": "0.000",
    }
    assert said["changes"] == [{"latency_ms_max": "30.000000"}]
    assert preview(client, far | said["changes"][0])["can_be_served"]


@pytest.mark.parametrize(
    "change",
    [
        {"limit_price": "1.000"},
        {"quantity": "11"},
        {"renewable_share_min": "0.9"},
        {"regions": ["guizhou"]},
        {"kind": "block", "duration": "4", "quantity": "12"},
        {"kind": "volume", "volume": "50", "quantity": "20"},
        {"accelerators": [{"accelerator": "ascend", "factor": "1"}]},
    ],
)
def test_every_change_that_it_proposes_would_do(
    scene: Market, client: APIClient, change: dict[str, Any]
) -> None:
    body = bid_body(scene.auction, limit_price="30.000") | change
    said = preview(client, body)
    assert not said["can_be_served"]
    assert said["changes"]
    for proposed in said["changes"]:
        assert preview(client, said["bid"] | proposed)["can_be_served"], proposed


def test_what_is_sold_is_not_on_offer_again(scene: Market, client: APIClient) -> None:
    seller = caller(scene.provider)
    capacity_of(scene.site, scene.site.offers.get().accelerator)
    create_offer(offer_body(scene.auction, price="9.000"), caller=seller)
    body = bid_body(scene.auction, quantity="10", limit_price="9.000")
    assert preview(client, body)["needed_price"] == "2.000"
    sold = auction_of(scene.series, state="published", closes_at=scene.auction.opens_at + HOUR / 2)
    scene.site.offers.earliest("pk").fills.create(
        auction=sold,
        period=1,
        starts_at=at(scene.auction, 1),
        ends_at=at(scene.auction, 2),
        quantity_lots=1,
    )
    assert preview(client, body)["needed_price"] == "9.000"


def test_missing_money_is_told_and_refuses_nothing(scene: Market) -> None:
    said = preview(api(), bid_body(scene.auction))
    assert (said["can_be_served"], said["is_covered"], said["available"]) == (
        True,
        False,
        "0.000000",
    )


def test_a_standing_bid_is_previewed_in_its_own_window(scene: Market, client: APIClient) -> None:
    body = bid_body(scene.auction, auction=..., time_in_force="standing")
    assert preview(client, body)["can_be_served"]
    long = body | {"ends_at": at(scene.auction, 24 * 40)}
    answer = client.post(PREVIEWS, long)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "preview_too_long")


def test_it_refuses_what_placing_would_refuse(scene: Market, client: APIClient) -> None:
    bad = client.post(PREVIEWS, bid_body(scene.auction, quantity="-1"))
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/quantity")
    Auction.objects.update(state="closed")
    assert client.post(PREVIEWS, bid_body(scene.auction)).json()["code"] == "auction_not_open"
