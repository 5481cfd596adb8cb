"""The providers' door, from the outside."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from exchange.api.offer_serializers import (
    MaintenanceSerializer,
    OfferDetailSerializer,
    OfferSerializer,
    SegmentSerializer,
)
from exchange.models import Offer, OfferState, OfferVersion
from tests.api.test_bids import post
from tests.exchange.markets import Market, at, market, offer_body
from tests.factories import api

pytestmark = pytest.mark.django_db
OFFERS = "/api/v1/offers"
HEADER = "site,accelerator,starts_at,ends_at,quantity,price,label"


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def client(scene: Market) -> APIClient:
    return api(scene.provider)


def upload(client: APIClient, text: str | bytes) -> Any:
    """Upload a CSV file."""
    return client.post(
        f"{OFFERS}/file",
        text,
        content_type="text/csv",
        headers={"Idempotency-Key": f"{hash(text)}"},
    )


def row(scene: Market, **changes: str) -> str:
    """Return a row of a file that says what ``offer_body`` says."""
    body = offer_body(scene.auction, label="", **changes)
    return ",".join(body[name] for name in HEADER.split(","))


def test_an_offer_is_listed_read_edited_and_withdrawn(scene: Market, client: APIClient) -> None:
    created = post(client, OFFERS, offer_body(scene.auction))
    assert created.status_code == 201, created.content
    said = created.json()
    assert set(said) == set(OfferSerializer().fields)
    assert (said["state"], said["price"], said["version"]) == ("active", "2.000", 1)
    place = created["Location"]
    read = client.get(place)
    assert set(read.json()) == set(OfferDetailSerializer().fields)
    edited = client.patch(place, {"price": "2.250"}, headers={"If-Match": read["ETag"]})
    assert (edited.status_code, edited.json()["price"], edited["ETag"]) == (200, "2.250", '"v2"')
    gone = post(client, f"{place}/withdraw", {"reason": "sold elsewhere"})
    assert (gone.json()["state"], gone.json()["reason_detail"]) == ("withdrawn", "sold elsewhere")
    assert [v["price"] for v in client.get(place).json()["versions"]] == ["2.000", "2.250"]


@pytest.mark.parametrize(
    ("tag", "refusal"),
    [(None, (428, "if_match_missing")), ("*", (412, "if_match_unknown")),
     ('"v9"', (412, "offer_changed"))],
)  # fmt: skip
def test_an_edit_says_what_it_edits(
    scene: Market, client: APIClient, tag: str | None, refusal: tuple[int, str]
) -> None:
    place = post(client, OFFERS, offer_body(scene.auction))["Location"]
    headers = {} if tag is None else {"If-Match": tag}
    answer = client.patch(place, {"price": "9"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == refusal
    assert OfferVersion.objects.count() == 1


def test_a_draft_waits_and_a_paused_offer_comes_back(scene: Market, client: APIClient) -> None:
    said = post(client, OFFERS, {**offer_body(scene.auction), "draft": True}).json()
    assert said["state"] == "draft"
    place = f"{OFFERS}/{said['id']}"
    for verb, state in (("activate", "active"), ("pause", "paused"), ("activate", "active")):
        assert post(client, f"{place}/{verb}", {}).json()["state"] == state
    twice = post(client, f"{place}/activate", {})
    assert (twice.status_code, twice.json()["code"]) == (409, "offer_not_live")


def test_more_than_is_free_is_a_conflict_that_says_how_much_is(
    scene: Market, client: APIClient
) -> None:
    answer = post(client, OFFERS, offer_body(scene.auction, quantity="101"))
    assert (answer.status_code, answer.json()["code"]) == (409, "capacity_exceeded")
    assert "100.000 are free" in answer.json()["errors"][0]["detail"]
    assert not Offer.objects.exists()


def test_offers_are_their_providers_alone(scene: Market, client: APIClient) -> None:
    place = post(client, OFFERS, offer_body(scene.auction))["Location"]
    stranger = api()
    assert stranger.get(OFFERS).json()["data"] == []
    assert stranger.get(place).json()["code"] == "offer_not_found"
    assert post(stranger, f"{place}/withdraw", {}).status_code == 404
    edit = stranger.patch(place, {"price": "1"}, headers={"If-Match": '"v1"'})
    assert edit.status_code == 404


def test_the_list_is_filtered(scene: Market, client: APIClient) -> None:
    post(client, OFFERS, offer_body(scene.auction))
    assert len(client.get(OFFERS, {"state": "active"}).json()["data"]) == 1
    assert client.get(OFFERS, {"accelerator": "ascend"}).json()["data"] == []
    running = client.get(OFFERS, {"running_at": at(scene.auction, 1)}).json()["data"]
    assert len(running) == 1
    assert client.get(OFFERS, {"running_at": at(scene.auction, 4)}).json()["data"] == []


def test_a_file_lists_all_its_offers_and_comes_back_as_it_was(
    scene: Market, client: APIClient
) -> None:
    rows = [row(scene), row(scene, quantity="20"), row(scene, price="0")]
    answer = upload(client, "\ufeff" + "\r\n".join([HEADER, *rows]) + "\r\n\r\n")
    assert answer.status_code == 201, answer.content
    assert [offer["quantity"] for offer in answer.json()["offers"]] == [
        "10.000",
        "20.000",
        "10.000",
    ]
    assert Offer.objects.filter(state=OfferState.ACTIVE).count() == 3
    file = b"".join(client.get(f"{OFFERS}/file")).decode()
    assert file.splitlines()[0] == f"{HEADER},offer,version,state"
    Offer.objects.update(state="withdrawn", reason_code="withdrawn_by_provider")
    kept = "\n".join(line.rsplit(",", 3)[0] for line in file.splitlines())
    assert upload(client, kept).status_code == 201


def test_a_file_with_one_bad_cell_lists_nothing_and_names_every_place(
    scene: Market, client: APIClient
) -> None:
    rows = [row(scene), row(scene, quantity="x", price="-1"), row(scene, quantity="91")]
    answer = upload(client, "\n".join([HEADER, *rows]))
    assert (answer.status_code, answer.json()["code"]) == (400, "file_refused")
    found = [(e["row"], e["column"], e["code"], e["pointer"]) for e in answer.json()["errors"]]
    assert found == [
        (3, "quantity", "quantity_malformed", "/3/quantity"),
        (3, "price", "price_negative", "/3/price"),
        (4, "quantity", "capacity_exceeded", "/4/quantity"),
    ]
    assert not Offer.objects.exists()


def test_capacity_shows_what_is_free_offered_contracted_and_down(
    scene: Market, client: APIClient
) -> None:
    post(client, OFFERS, offer_body(scene.auction, quantity="60"))
    down = {"site": "bj-1", "accelerator": "h100", "quantity": "5", "reason": "a fan"}
    window = {"starts_at": at(scene.auction, 1), "ends_at": at(scene.auction, 2)}
    planned = post(client, "/api/v1/maintenance", {**down, **window})
    assert planned.status_code == 201, planned.content
    assert set(planned.json()) == set(MaintenanceSerializer().fields)
    span = {"starts_at": at(scene.auction, 0), "ends_at": at(scene.auction, 5)}
    rows = client.get("/api/v1/capacity", span).json()["data"]
    assert set(rows[0]) == set(SegmentSerializer().fields)
    shown = [(r["standing"], r["maintenance"], r["offered"], r["free"]) for r in rows]
    assert shown == [
        ("100.000", "0.000", "60.000", "40.000"),
        ("100.000", "5.000", "60.000", "35.000"),
        ("100.000", "0.000", "60.000", "40.000"),
        ("100.000", "0.000", "0.000", "100.000"),
    ]
    assert rows[0]["standing_pflops"] == "99.000"
    assert api().get("/api/v1/capacity", span).json()["data"] == []
    off = post(client, f"/api/v1/maintenance/{planned.json()['id']}/call_off", {})
    assert off.json()["cancelled_at"] is not None
    assert len(client.get("/api/v1/capacity", span).json()["data"]) == 2
    assert len(client.get("/api/v1/maintenance", {"site": "bj-1"}).json()["data"]) == 1


@pytest.mark.parametrize(
    ("span", "code"),
    [
        ({"starts_at": "yesterday"}, "starts_at_malformed"),
        ({"starts_at": "2026-11-24T00:00:00Z", "ends_at": "2026-11-24T00:00:00Z"}, "window_empty"),
        (
            {"starts_at": "2026-11-24T00:00:00Z", "ends_at": "2027-11-24T00:00:00Z"},
            "window_too_long",
        ),
    ],
)
def test_capacity_is_asked_for_a_sensible_span(
    scene: Market, client: APIClient, span: dict[str, str], code: str
) -> None:
    answer = client.get("/api/v1/capacity", span)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_the_catalogue_is_open_to_everybody(scene: Market) -> None:
    stranger = APIClient()
    chips = stranger.get("/api/v1/accelerators", {"tradable": "true"}).json()["data"]
    assert [chip["code"] for chip in chips] == ["ascend", "h100"]
    assert [region["code"] for region in stranger.get("/api/v1/regions").json()["data"]] == [
        "beijing",
        "guizhou",
    ]
    assert stranger.get("/api/v1/models").json()["data"][0]["code"] == "qwen-72b"
    model = stranger.get("/api/v1/models/qwen-72b").json()
    fits = {fit["dtype"]: fit["fits"] for fit in model["dtypes"]}
    assert {"accelerator": "h100", "needed": 3} in fits["bf16"]
    assert {"accelerator": "h100", "needed": 1} in fits["int4"]
    assert stranger.get("/api/v1/models/none").status_code == 404
