"""Whatever is malformed is refused with its place and its own code, and leaves no row."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from exchange.foundation.market_time import market_now
from exchange.models import AiModel, Site
from tests.api import refused
from tests.api.test_bids import post
from tests.api.test_offers import upload
from tests.exchange.markets import (
    Market,
    at,
    bid_body,
    block_body,
    give_money,
    market,
    offer_body,
    region_of,
    standing_body,
    volume_body,
)
from tests.factories import OrganizationFactory, api

pytestmark = pytest.mark.django_db
WRITTEN = (
    *("exchange_bid", "exchange_offer", "exchange_offerversion", "exchange_maintenancewindow"),
    *("settlement_hold", "settlement_transfer", "accounts_idempotencyrecord"),
)


@pytest.fixture
def scene() -> Market:
    found = market()
    AiModel.objects.create(
        code="vast", name="Vast", params_total=10**14, modality="text", source="a test"
    )
    Site.objects.create(
        code="gz-1",
        name="Guizhou 1",
        provider=OrganizationFactory.create(),
        region=region_of("guizhou"),
        pue_micros=1_200_000,
        renewable_micros=0,
    )
    return found


@pytest.fixture
def client(scene: Market) -> APIClient:
    """A client that may buy and, at the scene's site, sell."""
    scene.provider.buys = True
    scene.provider.save()
    give_money(scene.provider.pk, 10**15)
    return api(scene.provider)


def rows() -> list[int]:
    """Return how many rows stand in every table that orders write to."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM {t})' for t in WRITTEN)}")  # noqa: S608
        return list(cursor.fetchone())


def changed(scene: Market, body: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return ``body`` with a change; ``hour 1.5`` counts from the auction's start."""
    whole = body | {name: _moment(scene, value) for name, value in change.items()}
    return {name: value for name, value in whole.items() if value is not ...}


def _moment(scene: Market, value: Any) -> Any:
    found = re.fullmatch(r"(hour|now) (-?[\d.]+)", value) if isinstance(value, str) else None
    if found is None:
        return value
    hour = market_now().replace(minute=0, second=0, microsecond=0)
    start = scene.auction.starts_at if found[1] == "hour" else hour
    return (start + timedelta(hours=float(found[2]))).isoformat()


def assert_refused(answer: Any, before: list[int], place: tuple[str, str]) -> None:
    """Assert that one thing was found wrong, at this pointer with this code, and nothing kept."""
    assert answer.status_code in (400, 409), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert found == [place]
    assert answer.json()["errors"][0]["detail"]
    assert rows() == before


def wrongly_taken(
    scene: Market, client: APIClient, door: str, cases: tuple[tuple[refused.Row, Any], ...]
) -> list[str]:
    """Post every body; return what was not refused as its row says, or left a row behind."""
    before, found = rows(), []
    for (code, pointer, change), body in cases:
        answer = post(client, f"/api/v1/{door}", body)
        said = answer.json()
        places = [(error["pointer"], error["code"]) for error in said.get("errors", [])]
        refusal = (answer.status_code, answer["Content-Type"], places)
        if refusal != (400, "application/problem+json", [(pointer, code)]) or rows() != before:
            found.append(f"{change}: {answer.status_code} {places}, not {pointer} {code}")
    return found


@pytest.mark.parametrize(
    ("make", "table"),
    [
        (bid_body, refused.HOURLY),
        (block_body, refused.BLOCK),
        (volume_body, refused.VOLUME),
        (standing_body, refused.STANDING),
    ],
    ids=["hourly", "block", "volume", "standing"],
)
def test_every_malformed_bid_is_refused_where_it_is_wrong(
    scene: Market, client: APIClient, make: Any, table: tuple[refused.Row, ...]
) -> None:
    cases = tuple((row, changed(scene, make(scene.auction), row[2])) for row in table)
    assert wrongly_taken(scene, client, "bids", cases) == []


def test_every_malformed_offer_is_refused_where_it_is_wrong(
    scene: Market, client: APIClient
) -> None:
    good = offer_body(scene.auction)
    cases = tuple((row, changed(scene, good, row[2])) for row in refused.OFFER)
    assert wrongly_taken(scene, client, "offers", cases) == []


def test_all_malformed_maintenance_is_refused_where_it_is_wrong(
    scene: Market, client: APIClient
) -> None:
    good = {"site": "bj-1", "starts_at": "hour 1", "ends_at": "hour 2", "reason": "a fan"}
    cases = tuple((row, changed(scene, {}, good | row[2])) for row in refused.MAINTENANCE)
    assert wrongly_taken(scene, client, "maintenance", cases) == []


def test_every_malformed_bulk_is_refused_where_it_is_wrong(
    scene: Market, client: APIClient
) -> None:
    cases = tuple((row, row[2]) for row in refused.BULK)
    assert wrongly_taken(scene, client, "bids/bulk", cases) == []


@pytest.mark.parametrize("door", ["bids", "bids/bulk", "offers", "maintenance", "bid_previews"])
def test_what_is_no_object_is_refused(scene: Market, client: APIClient, door: str) -> None:
    bodies: list[Any] = [[], [{}], "bid", 7, True]
    cases = tuple((("body_not_object", "", body), body) for body in bodies)
    assert wrongly_taken(scene, client, door, cases) == []


def test_every_malformed_file_is_refused_with_row_and_column(
    scene: Market, client: APIClient
) -> None:
    before, hours = rows(), (at(scene.auction, 0), at(scene.auction, 4))
    for code, column, row, file in refused.FILES:
        if isinstance(file, str):
            file = file.replace("{0}", hours[0]).replace("{1}", hours[1])  # noqa: PLW2901
        answer = upload(client, file)
        assert (answer.status_code, answer.json()["code"]) == (400, "file_refused"), answer.content
        error = answer.json()["errors"][0]
        assert (error["code"], error["column"], error["row"]) == (code, column, row)
        assert rows() == before


def test_a_cost_beyond_all_money_is_refused(scene: Market, client: APIClient) -> None:
    hours = {"starts_at": "now 1", "ends_at": "now 8000", "time_in_force": "standing"}
    huge = {"quantity": "1000000", "limit_price": "1000000.000", "auction": ...}
    many = {"accelerators": [{"accelerator": "h100", "factor": "1000"}]}
    body = changed(scene, bid_body(scene.auction), hours | huge | many)
    before = rows()
    answer = post(client, "/api/v1/bids", body)
    assert_refused(answer, before, ("/limit_price", "cost_too_large"))


def test_a_market_without_series_has_nothing_to_stand_for(scene: Market, client: APIClient) -> None:
    scene.series.active = False
    scene.series.save()
    body = bid_body(scene.auction, auction=..., time_in_force="standing")
    before = rows()
    answer = post(client, "/api/v1/bids", body)
    assert_refused(answer, before, ("/time_in_force", "nothing_to_stand_for"))


def test_there_are_more_than_a_hundred_kinds() -> None:
    tables = (
        refused.HOURLY,
        refused.BLOCK,
        refused.VOLUME,
        refused.STANDING,
        refused.OFFER,
        refused.MAINTENANCE,
        refused.BULK,
        refused.FILES,
    )
    assert len({row[0] for table in tables for row in table}) > 100
