"""What OpenAPI says of keys, errors and repeated requests is what the doors do."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.api.doors import ours


@pytest.fixture(scope="module")
def paths() -> dict[str, Any]:
    generator = SchemaGenerator(patterns=ours)  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found["paths"]  # type: ignore[no-any-return]


def test_every_error_is_a_problem_document(paths: dict[str, Any]) -> None:
    errors = [
        answer
        for methods in paths.values()
        for method in methods.values()
        for status, answer in method["responses"].items()
        if status >= "400"
    ]

    assert errors
    for answer in errors:
        assert list(answer["content"]) == ["application/problem+json"]
        schema = answer["content"]["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}


def test_a_creating_post_asks_for_its_idempotency_key(paths: dict[str, Any]) -> None:
    asked = {
        parameter["name"]: parameter["required"]
        for parameter in paths["/orders"]["post"].get("parameters", [])
    }

    assert asked == {"Idempotency-Key": True}
    assert "parameters" not in paths["/checks"]["post"]


def test_open_market_data_needs_no_key_and_the_rest_does(paths: dict[str, Any]) -> None:
    assert paths["/faults/{name}"]["get"]["security"] == [{"apiKey": []}, {}]
    assert paths["/orders"]["get"]["security"] == [{"apiKey": []}]


def test_lists_say_their_cursor_limit_and_sorts(paths: dict[str, Any]) -> None:
    asked = {one["name"]: one["schema"] for one in paths["/names"]["get"]["parameters"]}

    assert asked["limit"]["maximum"] == 200
    assert asked["sort"]["enum"] == ["created_at", "-created_at", "name", "-name"]
    assert set(asked) == {"cursor", "limit", "sort"}


def test_what_writes_may_lose_a_race(paths: dict[str, Any]) -> None:
    assert {"409", "412", "422"} <= set(paths["/orders"]["post"]["responses"])
    assert "409" not in paths["/orders"]["get"]["responses"]
