"""Lists come in pages that neither lose nor repeat a row."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import signing
from rest_framework.test import APIClient

from accounts.models import Organization
from accounts.web.pages import SALT
from tests.factories import api, auditor

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def client() -> APIClient:
    return api(auditor())


@pytest.fixture
def names() -> list[str]:
    """Ten rows, the first made first; two and two share a moment."""
    found = [f"n{number}" for number in range(10)]
    for number, name in enumerate(found):
        row = Organization.objects.create(name=name, buys=True)
        moment = START + timedelta(hours=number // 2)
        Organization.objects.filter(pk=row.pk).update(created_at=moment)
    return found


def walk(client: APIClient, address: str, link: str = "next") -> list[list[str]]:
    """Return the pages met on the way along one kind of link."""
    pages = []
    while address:
        page = client.get(address).json()
        pages.append([row["name"] for row in page["data"]])
        address = page[link]
        assert link == "previous" or page["has_more"] == (address is not None)
    return pages


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 10, 11, 200])
@pytest.mark.parametrize("sort", ["created_at", "-created_at", "name", "-name"])
def test_pages_together_are_the_list(
    client: APIClient, names: list[str], limit: int, sort: str
) -> None:
    pages = walk(client, f"/api/names?limit={limit}&sort={sort}")

    assert [name for page in pages for name in page] == (
        names[::-1] if sort.startswith("-") else names
    )
    assert {len(page) for page in pages[:-1]} <= {limit}


@pytest.mark.parametrize("limit", [1, 3, 4])
def test_the_way_back_meets_the_same_rows(client: APIClient, names: list[str], limit: int) -> None:
    first = client.get(f"/api/names?limit={limit}").json()
    second = client.get(first["next"]).json()

    assert client.get(second["previous"]).json()["data"] == first["data"]
    last = walk(client, f"/api/names?limit={limit}")[-1]
    cursor = f"/api/names?limit={limit}&sort=created_at"
    assert walk(client, cursor)[0][0] == last[-1]


def test_the_way_back_from_the_end_reaches_the_beginning(
    client: APIClient, names: list[str]
) -> None:
    address = "/api/names?limit=4"
    while (page := client.get(address).json())["next"]:
        address = page["next"]

    pages = walk(client, address, "previous")

    assert pages == [["n1", "n0"], ["n5", "n4", "n3", "n2"], ["n9", "n8", "n7", "n6"]]


def test_rows_that_come_meanwhile_shift_nothing(client: APIClient, names: list[str]) -> None:
    first = client.get("/api/names?limit=3").json()
    Organization.objects.create(name="newest", buys=True)
    Organization.objects.create(name="nnewest", buys=True)

    second = client.get(first["next"]).json()

    assert [row["name"] for row in second["data"]] == ["n6", "n5", "n4"]


def test_an_empty_list_is_a_page(client: APIClient) -> None:
    assert client.get("/api/names").json() == {
        "data": [],
        "next": None,
        "previous": None,
        "has_more": False,
    }


def test_a_link_keeps_the_rest_of_the_address(client: APIClient, names: list[str]) -> None:
    link = client.get("/api/names?limit=2&sort=name&state=active").json()["next"]

    assert link.startswith("http://testserver/api/names?")
    assert all(part in link for part in ("limit=2", "sort=name", "state=active", "cursor="))


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "", "ten", "\u0661", "9" * 99])
def test_a_wrong_limit_is_a_400(client: APIClient, limit: str) -> None:
    answer = client.get("/api/names", {"limit": limit})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/limit"
    assert answer.json()["errors"][0]["code"] == "limit_invalid"


@pytest.mark.parametrize(
    "sort", ["legal_name", "--name", "name,created_at", "pk", "api_keys__name"]
)
def test_a_list_is_sorted_only_by_what_it_names(client: APIClient, sort: str) -> None:
    answer = client.get("/api/names", {"sort": sort})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "sort_invalid"


def forged(contents: Any) -> str:
    return signing.dumps(contents, salt="another salt")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "a:b:c",
        "é",
        forged(["-created_at", False, "2026-01-01", 1]),
        signing.dumps([], salt=SALT),
        signing.dumps("text", salt=SALT),
        signing.dumps(["name", False, "n1", 1], salt=SALT),
    ],
    ids=["short", "three parts", "not ascii", "old date", "a list", "a text", "other field"],
)
def test_a_cursor_that_is_not_ours_is_a_400(client: APIClient, cursor: str) -> None:
    answer = client.get("/api/names", {"cursor": cursor})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "cursor_invalid"


def test_a_cursor_changed_by_one_letter_is_a_400(client: APIClient, names: list[str]) -> None:
    link = client.get("/api/names?limit=1").json()["next"]

    answer = client.get(link[:-1] + ("A" if link[-1] != "A" else "B"))

    assert answer.status_code == 400
