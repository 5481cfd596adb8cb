"""Spoilt bodies and files: never a fault of ours, and never a row of what was refused."""

import csv
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from exchange.foundation.ids import new_id
from tests.api.mutations import spoilt_bodies, spoilt_files
from tests.api.test_refusals import rows
from tests.exchange.markets import (
    Market,
    bid_body,
    block_body,
    give_money,
    market,
    offer_body,
    standing_body,
    volume_body,
)
from tests.factories import api

pytestmark = pytest.mark.django_db
# One market serves all examples: what one of them places is counted, and harms no other.
shared_market = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = ["site", "accelerator", "starts_at", "ends_at", "quantity", "price"]


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.fixture
def client(scene: Market) -> APIClient:
    scene.provider.buys = True
    scene.provider.save()
    give_money(scene.provider.pk, 10**15)
    return api(scene.provider, rate="1000000/minute")


def send(client: APIClient, door: str, raw: bytes, content_type: str) -> None:
    """Send bytes; assert that they were taken, or refused with a problem and without a row."""
    before = rows()
    headers = {"Idempotency-Key": new_id("idk")}
    post: Any = client.generic  # the stubs know of texts alone
    answer = post("POST", f"/api/v1/{door}", raw, content_type=content_type, headers=headers)
    assert answer.status_code in (200, 201, 400, 402, 409, 413, 422), answer.content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"]
        assert rows() == before


@pytest.mark.parametrize("make", [bid_body, block_body, volume_body, standing_body])
@shared_market
@given(choice=st.data())
def test_spoilt_bids(scene: Market, client: APIClient, make: Any, choice: st.DataObject) -> None:
    raw = choice.draw(spoilt_bodies(make(scene.auction)))
    send(client, "bids", raw, "application/json")


@shared_market
@given(choice=st.data())
def test_spoilt_previews(scene: Market, client: APIClient, choice: st.DataObject) -> None:
    raw = choice.draw(spoilt_bodies(block_body(scene.auction)))
    send(client, "bid_previews", raw, "application/json")


@shared_market
@given(choice=st.data())
def test_spoilt_bulks(scene: Market, client: APIClient, choice: st.DataObject) -> None:
    spoilt = choice.draw(spoilt_bodies(bid_body(scene.auction)))
    whole = b'{"bids": [' + spoilt + b"]}"
    send(client, "bids/bulk", whole, "application/json")
    bulk = {"bids": [bid_body(scene.auction)], "atomic": False}
    send(client, "bids/bulk", choice.draw(spoilt_bodies(bulk)), "application/json")


@shared_market
@given(choice=st.data())
def test_spoilt_offers(scene: Market, client: APIClient, choice: st.DataObject) -> None:
    raw = choice.draw(spoilt_bodies(offer_body(scene.auction, quantity="0.001")))
    send(client, "offers", raw, "application/json")


@shared_market
@given(choice=st.data())
def test_spoilt_files(scene: Market, client: APIClient, choice: st.DataObject) -> None:
    body = offer_body(scene.auction, quantity="0.001")
    row = [body[name] for name in COLUMNS]
    raw = choice.draw(spoilt_files([COLUMNS, row, [*row[:-1], "3.000"]]))
    send(client, "offers/file", raw, "text/csv")


def test_the_files_that_are_spoilt_are_good_ones(scene: Market, client: APIClient) -> None:
    body = offer_body(scene.auction)
    text = StringIO()
    csv.writer(text).writerows([COLUMNS, [body[name] for name in COLUMNS]])
    headers = {"Idempotency-Key": "good"}
    answer = client.post(
        "/api/v1/offers/file", text.getvalue(), content_type="text/csv", headers=headers
    )
    assert answer.status_code == 201
