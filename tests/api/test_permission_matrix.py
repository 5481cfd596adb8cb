"""Every door x every method x every caller, against the one table."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import DjangoDbBlocker

from tests.api.permission_table import CALLERS, DOORS, NOT_OURS, RULES, Door
from tests.api.scene import Scene, scene

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_PORTAL = "-"
TURNED_AWAY = {401, 403, 404}


def routes(patterns: Any = None, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every route that has rows in the table, with its view."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and not route.startswith(NOT_OURS):
            yield route, entry.callback


ROUTES = dict(routes())
DECLARED = {(door.route, door.method) for door in DOORS}
UNDECLARED = sorted(
    (route, method) for route in ROUTES for method in METHODS if (route, method) not in DECLARED
)


def is_api(route: str) -> bool:
    return route.startswith("api/")


def test_every_rule_speaks_of_every_caller() -> None:
    assert {len(rule.split()) for rule in RULES.values()} == {len(CALLERS)}


def test_no_row_stands_twice() -> None:
    assert len(DECLARED) == len(DOORS)


def test_every_row_is_of_a_route_that_exists() -> None:
    assert {door.route for door in DOORS} <= set(ROUTES)


def test_every_route_has_a_row() -> None:
    assert {route for route in ROUTES if not any((route, m) in DECLARED for m in METHODS)} == set()


def test_every_method_of_the_api_has_a_row() -> None:
    there = {
        (route, method.upper())
        for route, view in ROUTES.items()
        if is_api(route)
        for method in view.cls.http_method_names
        if hasattr(view.cls, method) and method not in ("options", "head")
    }

    assert there <= DECLARED


@pytest.mark.django_db
def test_the_scene_has_every_thing_that_a_row_names() -> None:
    assert {name for door in DOORS for name in (door.named, door.shows)} <= {"", *scene().ids}


def address(route: str, thing_id: str) -> str:
    """Put the id, or the words of an id that is of several, where the route asks for them."""
    words = thing_id.split()
    return "/" + re.sub(r"<[^>]+>", lambda _: words.pop(0) if len(words) > 1 else words[0], route)


def ask(client: Client, door: Door, where: Scene) -> HttpResponse:
    """Send the door's method with its body, and take back what it did."""
    path = address(door.route, where.ids.get(door.named, "nothing"))
    send = getattr(client, door.method.lower())
    headers = {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"v1"'}
    options = {"REMOTE_ADDR": str(uuid.uuid4()), "headers": headers}
    body = {name: value.format(**where.ids) for name, value in door.body.items()}
    with transaction.atomic():
        found: HttpResponse = send(path, body, **options)
        transaction.set_rollback(True)
    return found


def met(response: HttpResponse) -> str:
    """Return what the table would call this answer."""
    to_sign_in = response.status_code == 302 and "/accounts/login/" in response["Location"]
    turned_away = response.status_code in TURNED_AWAY or to_sign_in
    return str(response.status_code) if turned_away else "ok"


@pytest.fixture(scope="module")
def where(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Scene]:
    """Build the scene once; whatever is asked is taken back, and in the end the scene too."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield scene()
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} /{door.route}")
def test_each_caller_meets_what_the_table_says(door: Door, where: Scene) -> None:
    rule = dict(zip(CALLERS, RULES[door.rule].split(), strict=True))
    asking = where.clients[is_api(door.route)]

    answers = {name: ask(client, door, where) for name, client in asking.items()}

    said = {name: answer.status_code for name, answer in answers.items()}
    assert max(said.values()) < 500, said
    expected = {name: word for name, word in rule.items() if word != NO_PORTAL}
    assert {name: met(answer) for name, answer in answers.items()} == expected, said
    if door.shows:
        shown = {name for name in answers if where.ids[door.shows] in text(answers[name])}
        assert "owner" in shown
        assert not shown & {"stranger", "anonymous", "meter"}


def text(answer: Any) -> str:
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(whole.decode())


@pytest.mark.django_db
def test_a_method_without_a_row_is_not_allowed(where: Scene) -> None:
    found = {
        (route, method): ask(
            where.clients[is_api(route)]["owner"], door_of(route, method), where
        ).status_code
        for route, method in UNDECLARED
    }

    assert {key: status for key, status in found.items() if status != 405} == {}


def door_of(route: str, method: str) -> Door:
    """Return a door with the thing that other methods of the route name."""
    named = next((door.named for door in DOORS if door.route == route), "")
    return Door(method=method, route=route, rule="", named=named)
