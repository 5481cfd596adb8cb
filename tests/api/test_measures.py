"""Halts and measures over REST."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization, Scope
from accounts.services.api_keys import issue_key
from exchange.foundation.ids import new_id
from exchange.models import MarketFreeze, PositionLimit
from exchange.services.freezes import freeze_market
from tests.exchange.markets import Market, bid_body, buyer, give_money, market, offer_body
from tests.factories import OrganizationFactory, api, api_with, caller, member, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Market:
    return market()


def operators_key(organization: Organization | None = None) -> APIClient:
    """Return a client with the key of a fresh person of an operator."""
    house = organization or operator()
    scopes = [Scope.MEASURES_READ, Scope.MEASURES_WRITE, Scope.MEASURES_APPROVE]
    _, token = issue_key(house, name="desk", scopes=scopes, actor=member(house))
    return api_with(token)


def ask(client: APIClient, **body: Any) -> Any:
    headers = {"Idempotency-Key": new_id("try")}
    return client.post("/api/v1/measures", body, headers=headers)


def test_one_asks_and_another_approves_and_everybody_is_told(scene: Market) -> None:
    one, other = operators_key(), operators_key()
    asked = ask(one, kind="halt", region="beijing", reason="a flood")
    assert asked.status_code == 201, asked.content
    where = asked["Location"]
    assert asked.json() | {"state": "asked", "scope": "region", "part": "beijing"} == asked.json()
    assert api().get("/api/v1/halts").json()["data"] == []

    own = one.post(f"{where}/approve", {"reason": "me"})
    assert (own.status_code, own.json()["code"]) == (403, "own_request")
    done = other.post(f"{where}/approve", {"reason": "seen"})
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    twice = other.post(f"{where}/approve", {"reason": "seen"})
    assert (twice.status_code, twice.json()["code"]) == (409, "illegal_move")

    (told,) = APIClient().get("/api/v1/halts?live=true").json()["data"]
    assert (told["scope"], told["part"], told["reason"]) == ("region", "beijing", "a flood")
    back = ask(other, kind="resume", halt=told["id"], reason="over")
    one.post(f"{back['Location']}/approve", {"reason": "yes"})
    assert APIClient().get("/api/v1/halts?live=true").json()["data"] == []
    assert len(APIClient().get("/api/v1/halts?live=false").json()["data"]) == 1


def test_an_order_that_a_halt_refuses_is_told_which_and_why(scene: Market) -> None:
    freeze_market(reason="a flood", actor=caller(operator()), series=scene.series)
    organization = OrganizationFactory.create()
    give_money(organization.pk, 10**12)
    client = api(organization)
    refused = client.post("/api/v1/bids", bid_body(scene.auction), headers={"Idempotency-Key": "a"})
    assert (refused.status_code, refused.json()["code"]) == (409, "part_halted")
    assert "a flood" in refused.json()["detail"]
    bulk = client.post(
        "/api/v1/bids/bulk",
        {"bids": [bid_body(scene.auction)], "atomic": True},
        headers={"Idempotency-Key": "b"},
    )
    assert bulk.json()["errors"][0]["code"] == "part_halted"

    freeze_market(reason="a fire", actor=caller(operator()))
    refused = api(scene.provider).post(
        "/api/v1/offers", offer_body(scene.auction), headers={"Idempotency-Key": "c"}
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "market_frozen")
    assert "a fire" in refused.json()["detail"]


def test_limits_are_asked_for_in_decimal_strings(scene: Market) -> None:
    one, other = operators_key(), operators_key()
    buying = buyer().organization_public_id
    asked = ask(
        one,
        kind="position_limit",
        organization=buying,
        accelerator_hours="12.500",
        amount="300.50",
        reason="new here",
    )
    assert asked.json()["accelerator_hours"] == "12.500"
    assert other.post(f"{asked['Location']}/approve", {"reason": "yes"}).status_code == 200
    assert PositionLimit.objects.get().lot_minutes_max == 750_000
    cap = ask(one, kind="price_cap", series="day-ahead", price_cap="900", reason="calm down")
    assert cap.json()["price_cap"] == "900.000"
    assert one.post(f"{cap['Location']}/refuse", {"reason": "no"}).json()["state"] == "refused"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "halt", "region": "nowhere"}, "/region"),
        ({"kind": "resume", "halt": "12"}, "/halt"),
        ({"kind": "resume", "halt": "x"}, "/halt"),
        ({"kind": "price_cap", "series": "day-ahead"}, "/price_cap"),
        ({"kind": "price_cap", "price_cap": "1"}, "/series"),
        ({"kind": "position_limit", "organization": "org_1"}, "/organization"),
        ({"kind": "revolution"}, "/kind"),
    ],
)
def test_what_there_is_not_is_named(scene: Market, body: dict[str, str], pointer: str) -> None:
    refused = ask(operators_key(), reason="why", **body)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == pointer
    assert not MarketFreeze.objects.exists()
