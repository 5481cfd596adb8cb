"""The buyers' door, from the outside."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import IdempotencyRecord, Organization
from exchange.api.bid_serializers import BidDetailSerializer, BidRequestSerializer, BidSerializer
from exchange.foundation.ids import new_id
from exchange.models import Auction, Bid, BidState
from exchange.services.bid_terms import FIELDS
from settlement.models import Hold
from tests.exchange.markets import Market, bid_body, block_body, give_money, market, volume_body
from tests.factories import OrganizationFactory, api

pytestmark = pytest.mark.django_db
BIDS = "/api/v1/bids"


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def buyer() -> Organization:
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, 10**12)
    return organization


@pytest.fixture
def client(buyer: Organization) -> APIClient:
    return api(buyer)


def post(client: APIClient, path: str, body: object, *, key: str | None = None) -> Any:
    """Post a body under a fresh idempotency key, unless one is given."""
    return client.post(path, body, headers={"Idempotency-Key": key or new_id("idk")})


def test_a_bid_is_answered_with_all_its_terms_and_its_place(
    scene: Market, client: APIClient
) -> None:
    answer = post(client, BIDS, block_body(scene.auction, label="run 7, night"))
    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert answer["Location"] == f"{BIDS}/{said['id']}"
    assert set(said) == set(BidSerializer().fields)
    assert set(said) >= FIELDS
    assert (said["state"], said["greatest_cost"]) == ("accepted", "12.120000")
    assert (said["duration"], said["limit_price"], said["currency"]) == ("2.000", "3.000", "CNY")


def test_what_a_bid_may_say_is_what_the_schema_says() -> None:
    assert set(BidRequestSerializer().fields) == FIELDS


def test_a_repeat_with_the_same_key_gets_the_first_answer(scene: Market, client: APIClient) -> None:
    body = bid_body(scene.auction)
    first, second = (post(client, BIDS, body, key="once") for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert second["Idempotency-Replayed"] == "true"
    assert Bid.objects.count() == Hold.objects.count() == 1


def test_a_bid_that_was_answered_can_be_posted_again_as_it_stands(
    scene: Market, client: APIClient
) -> None:
    for body in (bid_body(scene.auction), block_body(scene.auction), volume_body(scene.auction)):
        said = post(client, BIDS, body).json()
        again = {name: value for name, value in said.items() if name in FIELDS}
        repeated = post(client, BIDS, again)
        assert repeated.status_code == 201, repeated.content
        assert {name: repeated.json()[name] for name in FIELDS} == again


@pytest.mark.parametrize(
    ("quantity", "refusal"),
    [
        ("0", (400, "validation_failed")),
        ("9999999", (400, "validation_failed")),
        ("500000", (402, "insufficient_funds")),
    ],
)
def test_a_refusal_is_a_problem_document_and_leaves_nothing(
    scene: Market, client: APIClient, quantity: str, refusal: tuple[int, str]
) -> None:
    answer = post(client, BIDS, bid_body(scene.auction, quantity=quantity))
    assert (answer.status_code, answer["Content-Type"]) == (
        refusal[0],
        "application/problem+json",
    )
    assert answer.json()["code"] == refusal[1]
    assert not Bid.objects.exists()
    assert not Hold.objects.exists()


def test_a_closed_gate_is_a_conflict(scene: Market, client: APIClient) -> None:
    Auction.objects.update(state="closed")
    answer = post(client, BIDS, bid_body(scene.auction))
    assert (answer.status_code, answer.json()["code"]) == (409, "auction_not_open")


def test_the_list_is_filtered_and_paged_and_ones_own(scene: Market, client: APIClient) -> None:
    for name in ("a", "b"):
        said = {"name": name, "budget": "1000"}
        assert post(client, "/api/v1/projects", said).status_code == 201
    for _ in range(3):
        post(client, BIDS, bid_body(scene.auction, project="a"))
    post(client, BIDS, block_body(scene.auction, project="b"))
    first = client.get(BIDS, {"limit": 3}).json()
    assert (len(first["data"]), first["has_more"]) == (3, True)
    assert len(client.get(first["next"]).json()["data"]) == 1
    assert [bid["kind"] for bid in client.get(BIDS, {"project": "b"}).json()["data"]] == ["block"]
    assert client.get(BIDS, {"state": "cancelled"}).json()["data"] == []
    assert client.get(BIDS, {"kind": "wish"}).status_code == 400
    assert api().get(BIDS).json()["data"] == []


def test_a_bid_tells_its_story_and_strangers_learn_nothing(
    scene: Market, client: APIClient
) -> None:
    public_id = post(client, BIDS, bid_body(scene.auction)).json()["id"]
    cancelled = post(client, f"{BIDS}/{public_id}/cancel", {"reason": "not needed"})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    said = client.get(f"{BIDS}/{public_id}").json()
    assert set(said) == set(BidDetailSerializer().fields)
    assert [event["event"] for event in said["story"]] == ["accepted", "cancelled"]
    assert said["story"][1]["reason_detail"] == "not needed"
    assert api().get(f"{BIDS}/{public_id}").json()["code"] == "bid_not_found"
    assert post(api(), f"{BIDS}/{public_id}/cancel", {}).status_code == 404
    again = post(client, f"{BIDS}/{public_id}/cancel", {})
    assert (again.status_code, again.json()["code"]) == (409, "bid_not_live")


def test_a_bulk_answers_each_bid_on_its_own_in_order(scene: Market, client: APIClient) -> None:
    bids = [
        bid_body(scene.auction),
        bid_body(scene.auction, quantity="none"),
        bid_body(scene.auction, auction="auc_unknown"),
        bid_body(scene.auction, quantity="400000"),
        7,
        block_body(scene.auction, group="job", label="back\\slash \N{SNOWMAN}"),
        block_body(scene.auction, group="job", limit_price="5.000"),
    ]
    answer = post(client, f"{BIDS}/bulk", {"bids": bids})
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert [item["status"] for item in said["answers"]] == [201, 400, 400, 402, 400, 201, 201]
    assert said["placed"] == Bid.objects.count() == 3
    assert said["answers"][1]["problem"]["errors"][0]["pointer"] == "/quantity"
    kept = {bid.public_id: bid for bid in Bid.objects.all()}
    for item in (said["answers"][0], said["answers"][5], said["answers"][6]):
        assert client.get(f"{BIDS}/{item['bid']['id']}").json() == {
            **item["bid"],
            "story": [{"at": item["bid"]["placed_at"], "event": "accepted"}],
            "fills": [],
        }
        assert kept[item["bid"]["id"]].state == BidState.ACCEPTED
    assert Hold.objects.count() == 2


def test_the_long_answer_of_a_bulk_is_repeated_byte_for_byte(
    scene: Market, client: APIClient
) -> None:
    bids = [bid_body(scene.auction, label=f"run {number}") for number in range(40)]
    first, second = (post(client, f"{BIDS}/bulk", {"bids": bids}, key="once") for _ in range(2))
    assert len(first.content) > 10_000
    assert second["Idempotency-Replayed"] == "true"
    assert second.content == first.content
    assert len(IdempotencyRecord.objects.get().body) < len(first.content) / 4
    assert Bid.objects.count() == 40


def test_a_bulk_of_all_or_nothing_places_nothing_when_one_is_bad(
    scene: Market, client: APIClient
) -> None:
    bids = [bid_body(scene.auction), bid_body(scene.auction, origin="mars")]
    answer = post(client, f"{BIDS}/bulk", {"bids": bids, "atomic": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "bulk_refused")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        ("/bids/1/origin", "origin_unknown")
    ]
    assert not Bid.objects.exists()
    assert not Hold.objects.exists()
    good = post(client, f"{BIDS}/bulk", {"bids": bids[:1], "atomic": True})
    assert good.json()["placed"] == 1


def test_a_bulk_passes_over_what_the_money_does_not_cover(scene: Market) -> None:
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, 2 * 24_240_000)
    client = api(organization)
    sizes = ["2", "3", "2", "2"]
    bids = [bid_body(scene.auction, quantity=size) for size in sizes]
    said = post(client, f"{BIDS}/bulk", {"bids": bids}).json()
    assert [item["status"] for item in said["answers"]] == [201, 402, 201, 402]
