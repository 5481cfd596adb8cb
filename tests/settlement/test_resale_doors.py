"""Resales over REST and in the portal: put on sale, taken, declined, withdrawn, or refused."""

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Organization
from settlement.models import Contract, Resale
from settlement.services.projects import open_project
from tests.factories import api, member, portal
from tests.settlement.books import an_organization, put_in
from tests.settlement.deliveries import HOUR, MONEY, TEN, Delivery, a_delivery, broken, play_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery() -> Delivery:
    made = a_delivery(hours=3, lots=2_000)
    play_at(TEN - HOUR)
    return made


@pytest.fixture
def taker() -> Organization:
    organization = an_organization("New buyer")
    put_in(organization, MONEY)
    return organization


def post(client: APIClient, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    return client.post(f"/api/v1/{path}", body or {}, format="json", headers=headers)


def body(delivery: Delivery, **changes: Any) -> dict[str, Any]:
    said = {"contract": delivery.contract.public_id, "price": "8.000"} | changes
    return {name: value for name, value in said.items() if value is not None}


def test_hours_are_offered_taken_out_of_a_budget_and_seen_by_both(
    delivery: Delivery, taker: Organization
) -> None:
    seller, buyer = api(delivery.buyer), api(taker)
    open_project("llm", budget_micros=MONEY, caller=member(taker))
    made = post(
        seller,
        "resales",
        body(delivery, buyer=taker.public_id, quantity="1.500", starts_at="2026-01-05T11:00:00Z"),
    )
    assert made.status_code == 201, made.content
    said = made.json()
    assert (said["state"], said["price"], said["quantity"]) == ("open", "8.000", "1.500")
    assert buyer.get(made["Location"]).json() == said
    assert [row["id"] for row in buyer.get("/api/v1/resales?state=open").json()["data"]] == [
        said["id"]
    ]
    taken = post(buyer, f"resales/{said['id']}/accept", {"project": "llm"})
    assert taken.status_code == 201, taken.content
    contract = taken.json()
    assert (contract["resale"], contract["provider"]["id"]) == (
        said["id"],
        delivery.buyer.public_id,
    )
    assert [period["quantity"] for period in contract["periods"]] == ["1.500", "1.500"]
    again = post(buyer, f"resales/{said['id']}/accept")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert broken() == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"price": None}, 400, "validation_failed"),
        ({"price": "-1"}, 400, "validation_failed"),
        ({"price": "1.0001"}, 400, "validation_failed"),
        ({"quantity": "0"}, 400, "validation_failed"),
        ({"prize": "1"}, 400, "validation_failed"),
        ({"contract": "ctr_none"}, 404, "not_found"),
        ({"buyer": "org_none"}, 422, "bad_new_buyer"),
        ({"quantity": "2.001"}, 409, "hours_taken"),
        ({"starts_at": "2026-01-05T10:30:00Z"}, 422, "resale_outside"),
    ],
)
def test_a_wrong_resale_is_refused_and_leaves_nothing(
    delivery: Delivery, change: dict[str, Any], status: int, code: str
) -> None:
    answer = post(api(delivery.buyer), "resales", body(delivery, **change))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Resale.objects.exists()


def test_declined_and_withdrawn_over_rest(delivery: Delivery, taker: Organization) -> None:
    seller, buyer = api(delivery.buyer), api(taker)
    first = post(seller, "resales", body(delivery, buyer=taker.public_id)).json()["id"]
    assert post(seller, f"resales/{first}/decline").status_code == 404
    assert post(buyer, f"resales/{first}/withdraw").status_code == 404
    assert post(buyer, f"resales/{first}/decline").json()["state"] == "declined"
    second = post(seller, "resales", body(delivery)).json()
    assert second["buyer"] is None
    assert buyer.get(f"/api/v1/resales/{second['id']}").status_code == 404
    assert post(seller, f"resales/{second['id']}/withdraw").json()["state"] == "withdrawn"
    assert Contract.objects.count() == 1


def test_in_the_portal_hours_are_offered_to_one_and_taken(
    delivery: Delivery, taker: Organization
) -> None:
    seller, buyer = portal(delivery.buyer), portal(taker)
    where = f"/contracts/{delivery.contract.public_id}/"
    assert f"{where}resell/" in seller.get(where).content.decode()
    page = seller.get(f"{where}resell/").content.decode()
    assert "2026-01-05 18:00" in page  # ten o'clock, in the market's zone
    said = {
        "buyer": taker.public_id,
        "starts_at": "2026-01-05T11:00:00+00:00",
        "ends_at": "2026-01-05T13:00:00+00:00",
        "quantity": "1.5",
        "price": "8",
    }
    wrong = seller.post(f"{where}resell/", said | {"buyer": "org_none"})
    assert (wrong.status_code, "No organization" in wrong.content.decode()) == (422, True)
    too_much = seller.post(f"{where}resell/", said | {"quantity": "3"})
    assert "not that much left" in too_much.content.decode()
    assert seller.post(f"{where}resell/", said).status_code == 302
    resale = Resale.objects.get()
    address = f"/resales/{resale.public_id}/"
    assert resale.public_id in buyer.get("/resales/?state=open").content.decode()
    assert "Buy these hours" in buyer.get(address).content.decode()
    assert "Take it off sale" in seller.get(address).content.decode()
    answer = buyer.post(f"{address}accept/", {"project": ""})
    made = Contract.objects.get(resale=resale)
    assert (answer.status_code, answer["Location"]) == (302, f"/contracts/{made.public_id}/")
    shown = buyer.get(f"/contracts/{made.public_id}/").content.decode()
    assert "Resold from another contract" in shown
    assert "to New buyer" in portal(delivery.provider).get(where).content.decode()
    assert broken() == []


def test_in_the_portal_the_rest_is_offered_back_by_itself_and_taken_off_sale(
    delivery: Delivery,
) -> None:
    seller, where = portal(delivery.buyer), f"/contracts/{delivery.contract.public_id}/resell/"
    assert seller.post(where, {"price": "-1"}).status_code == 422
    assert seller.post(where, {"price": "4.5"}).status_code == 302
    resale = Resale.objects.get()
    assert (resale.buyer, resale.quantity_lots, resale.price_ticks) == (None, None, 4_500)
    assert "Offer it back" not in seller.get(where).content.decode()
    seller.post(f"/resales/{resale.public_id}/withdraw/")
    resale.refresh_from_db()
    assert resale.state == "withdrawn"


def test_in_the_portal_an_offer_is_declined(delivery: Delivery, taker: Organization) -> None:
    made = post(api(delivery.buyer), "resales", body(delivery, buyer=taker.public_id)).json()
    address = f"/resales/{made['id']}/"
    assert portal(delivery.provider).get(address).status_code == 404
    portal(taker).post(f"{address}decline/")
    assert Resale.objects.get().state == "declined"
