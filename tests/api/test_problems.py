"""Every error of the API is a problem document that says what, where and why."""

from typing import Any

import pytest
from django.http import HttpResponse
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import Organization
from tests.factories import api

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "errors"}


@pytest.fixture(autouse=True)
def _refusals(settings: Settings) -> None:
    settings.REFUSALS = "tests.api.doors.REFUSALS"


def document(answer: HttpResponse, status: int) -> dict[str, Any]:
    """Return the problem, having seen that it is a whole one of this status."""
    found: dict[str, Any] = answer.json()  # type: ignore[attr-defined]
    assert answer["Content-Type"] == "application/problem+json", answer.content
    assert answer.status_code == found["status"] == status, found
    assert set(found) == MEMBERS
    assert found["type"].endswith(f"#{found['code']}")
    return found


def post(body: bytes | str, kind: str = "application/json") -> HttpResponse:
    raw = body if isinstance(body, bytes) else body.encode()
    return api().generic("POST", "/api/checks", raw, kind)  # type: ignore[arg-type] # bytes do


def check(body: Any) -> list[tuple[str, str]]:
    """Return (pointer, code) of all that is wrong with a body."""
    found = document(api().post("/api/checks", body), 400)
    assert found["code"] == "validation_failed"
    return sorted((error["pointer"], error["code"]) for error in found["errors"])


@pytest.mark.parametrize("name", ["refusal", "closer-refusal"])
def test_a_refusal_has_the_status_and_code_of_its_row(name: str) -> None:
    found = document(APIClient().get(f"/api/faults/{name}"), 409)

    assert found["code"] == "out_of_stock"
    assert found["title"] == "Out of stock"
    assert found["detail"] == "nothing is left"
    assert found["instance"] == f"/api/faults/{name}"
    assert found["errors"] == [
        {"pointer": "/lots", "code": "too_many", "detail": "only two are left"}
    ]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("missing", 404, "not_found"),
        ("forbidden", 403, "permission_denied"),
        ("fault", 500, "internal_error"),
        ("database", 503, "try_again"),
    ],
)
def test_what_breaks_inside_stays_inside(name: str, status: int, code: str) -> None:
    answer = APIClient(raise_request_exception=False).get(f"/api/faults/{name}")

    assert document(answer, status)["code"] == code
    assert b"secret" not in answer.content
    assert b"deadlock" not in answer.content


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/v1/nowhere", "/api/v1/bids/../x", "/api/"])
def test_an_address_that_does_not_exist_is_a_problem_too(path: str) -> None:
    assert document(APIClient().get(path), 404)["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/names?sort=%00", "/api/faults/%00", "/api/v1/me?x=a%00b"])
def test_a_nul_in_the_address_is_refused_at_the_doorstep(path: str) -> None:
    assert document(api().get(path), 400)["code"] == "address_invalid"


def test_a_wrong_method_is_a_405_that_says_which_are_right() -> None:
    answer = api().delete("/api/orders")

    assert document(answer, 405)["code"] == "method_not_allowed"
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"


def test_an_unknown_type_of_answer_is_a_406() -> None:
    answer = api().get("/api/v1/me", HTTP_ACCEPT="application/xml")

    assert document(answer, 406)["code"] == "not_acceptable"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_an_unknown_type_of_body_is_a_415(kind: str) -> None:
    assert document(post("{}", kind), 415)["code"] == "unsupported_media_type"


def test_a_body_too_large_is_a_413_and_is_not_read_to_its_end(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    assert document(post('"' + "a" * 98 + '"'), 400)["code"] == "validation_failed"
    assert document(post('"' + "a" * 99 + '"'), 413)["code"] == "body_too_large"


def test_a_large_body_under_an_idempotency_key_is_a_413_too(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    answer = api().post("/api/orders", {"name": "n" * 200}, headers={"Idempotency-Key": "a"})

    assert document(answer, 413)["code"] == "body_too_large"


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ('{"name": }', "json_invalid", "line 1 column 10"),
        ('{"name": "a",\n "limit" 1}', "json_invalid", "line 2 column 10"),
        ("{'name': 1}", "json_invalid", "line 1 column 2"),
        ('{"name": "a"} x', "json_invalid", "line 1 column 15"),
        ('{"name": "a\nb"}', "json_invalid", "line 1 column 12"),
        ("\ufeff{}", "json_invalid", "line 1 column 1"),
        (b'{\n"name": "\xff"}', "json_encoding", "line 2 column 10"),
        (b"\x80", "json_encoding", "line 1 column 1"),
        ('{"name": "a", "name": "b"}', "json_name_twice", "'name'"),
        ('{"limit": NaN}', "json_number", "NaN"),
        ('{"limit": -Infinity}', "json_number", "-Infinity"),
        ('{"limit": 1e999}', "json_number", "1e999"),
        ('{"limit": 1e999999999999999999999}', "json_number", ""),
        ('{"limit": ' + "9" * 5000 + "}", "json_number", "5000 characters"),
        ("[" * 40 + "]" * 40, "json_too_deep", "32"),
        ("[" * 100_000, "json_too_deep", "32"),
        ('{"a": ' * 33 + "1" + "}" * 33, "json_too_deep", "32"),
        ('{"name": "\\u0000"}', "json_text", "/name"),
        ('{"name": "\\ud800"}', "json_text", "/name"),
        ('{"pieces": [{"note": "\\udc00x"}]}', "json_text", "/pieces/0/note"),
        ('{"\\u0000": 1}', "json_text", ""),
        ('"\\ud800"', "json_text", "/"),
    ],
)
def test_a_body_that_is_not_good_json_is_refused_with_its_place(
    body: bytes | str, code: str, place: str
) -> None:
    before = Organization.objects.count() + 1  # The one that asks.

    found = document(post(body), 400)

    assert found["code"] == code
    assert place in found["detail"]
    assert Organization.objects.count() == before


def test_a_whole_surrogate_pair_is_a_letter() -> None:
    answer = post('{"name": "\\ud83d\\ude00"}')

    assert answer.status_code == 200
    assert answer.json()["name"] == "\U0001f600"  # type: ignore[attr-defined]


def test_depth_up_to_the_limit_is_read() -> None:
    assert document(post("[" * 32 + "]" * 32), 400)["code"] == "validation_failed"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, [("/name", "required")]),
        ([], [("", "invalid")]),
        ("text", [("", "invalid")]),
        (None, [("/name", "required")]),
        (7, [("", "invalid")]),
        ({"name": None}, [("/name", "null")]),
        ({"name": ["a"]}, [("/name", "invalid")]),
        ({"name": "a", "nmae": 1}, [("/nmae", "unknown_field")]),
        ({"name": "a", "counted": 1}, [("/counted", "unknown_field")]),
        ({"nmae": 1}, [("/name", "required"), ("/nmae", "unknown_field")]),
        ({"name": "a", "a/b~c": 1}, [("/a~1b~0c", "unknown_field")]),
        ({"name": "a", "limit": 1.5}, [("/limit", "not_a_string")]),
        ({"name": "a", "limit": True}, [("/limit", "not_a_string")]),
        ({"name": "a", "limit": "1e3"}, [("/limit", "not_a_decimal")]),
        ({"name": "a", "limit": "٣"}, [("/limit", "not_a_decimal")]),
        ({"name": "a", "limit": "0.0000001"}, [("/limit", "not_a_decimal")]),
        ({"name": "a", "limit": "-0.000001"}, [("/limit", "too_small")]),
        ({"name": "a", "limit": "10.000001"}, [("/limit", "too_large")]),
        ({"name": "a", "limit": "9" * 10_000}, [("/limit", "not_a_decimal")]),
        ({"name": "a", "at": "2026-12-01T08:00:00"}, [("/at", "not_an_instant")]),
        ({"name": "a", "at": "2026-13-01T08:00:00Z"}, [("/at", "not_an_instant")]),
        ({"name": "a", "at": "2026-12-01"}, [("/at", "not_an_instant")]),
        ({"name": "a", "at": 1_800_000_000}, [("/at", "not_an_instant")]),
        ({"name": "a", "at": "0001-01-01T00:00:00+14:00"}, [("/at", "out_of_time")]),
        ({"name": "a", "at": "9999-12-31T23:59:59-14:00"}, [("/at", "out_of_time")]),
        ({"name": "a", "pieces": {}}, [("/pieces", "not_a_list")]),
        (
            {"name": "a", "pieces": [{"quantity": "1"}, {"quantity": "x"}, 3]},
            [("/pieces/1/quantity", "not_a_decimal"), ("/pieces/2", "invalid")],
        ),
        (
            {"name": "a", "pieces": [{"quantity": "1", "note": "longer", "x": 0}]},
            [("/pieces/0/note", "max_length"), ("/pieces/0/x", "unknown_field")],
        ),
    ],
)
def test_every_fault_of_a_body_is_pointed_at(body: Any, wrong: list[tuple[str, str]]) -> None:
    assert check(body) == sorted(wrong)


def test_good_values_come_back_as_they_are_written_at_the_doors() -> None:
    body = {"name": "a", "limit": "1.5", "at": "2026-12-01T08:00:00+08:00"}

    answer = api().post("/api/checks", body)

    assert answer.json()["limit"] == "1.500000"
    assert answer.json()["at"] == "2026-12-01T08:00:00+08:00"


def test_a_view_that_states_no_scope_is_shut() -> None:
    assert document(APIClient().get("/api/shut"), 401)["code"] == "not_authenticated"
    assert document(api().get("/api/shut"), 500)["code"] == "internal_error"


def test_a_key_without_the_scope_is_told_which() -> None:
    found = document(api(scopes=["bids:write"]).get("/api/orders"), 403)

    assert found["code"] == "scope_missing"
    assert "bids:read" in found["detail"]


def test_a_scope_is_worth_nothing_to_an_organization_of_another_kind() -> None:
    seller = Organization.objects.create(name="seller", provides=True)

    found = document(api(seller).post("/api/orders", {"name": "a"}), 403)

    assert found["code"] == "organization_kind"
