"""A repeated request creates nothing twice."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import IdempotencyRecord, Organization
from accounts.tasks import sweep
from tests.api.doors import Orders
from tests.factories import OrganizationFactory, api

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.doors")]


@pytest.fixture(autouse=True)
def _refusals(settings: Settings) -> None:
    settings.REFUSALS = "tests.api.doors.REFUSALS"


def post(client: APIClient, name: str = "new", key: str | None = "first") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post("/api/orders", {"name": name}, headers=headers)


def created(name: str = "new") -> int:
    return Organization.objects.filter(name=name).count()


def test_a_repeat_gets_the_first_answer_and_creates_nothing() -> None:
    client = api()

    first, second = post(client), post(client)

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert first["Location"] == second["Location"] == f"/{first.json()['id']}"
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert created() == 1


def test_another_body_under_the_same_key_is_refused() -> None:
    client = api()
    post(client)

    answer = post(client, name="other")

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert created("other") == 0


def test_another_address_under_the_same_key_is_refused() -> None:
    client = api()
    post(client)

    answer = client.post("/api/orders?x=1", {"name": "new"}, headers={"Idempotency-Key": "first"})

    assert answer.status_code == 422


def test_without_a_key_nothing_is_created() -> None:
    answer = post(api(), key=None)

    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_missing"
    assert created() == 0


@pytest.mark.parametrize("key", ["", "a" * 129, "a\tb", "ключ"])
def test_a_strange_key_is_refused(key: str) -> None:
    answer = post(api(), key=key)

    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_invalid"
    assert created() == 0


def test_the_same_word_of_another_api_key_is_another_key() -> None:
    organization = OrganizationFactory.create()

    assert post(api(organization)).json() != post(api(organization)).json()
    assert created() == 2


def test_a_refusal_leaves_nothing_and_the_key_may_try_again() -> None:
    client = api()

    assert post(client, name="refused").status_code == 409
    assert post(client, name="declined").status_code == 422
    assert post(client, name="x" * 50).status_code == 400

    assert created("refused") == created("declined") == IdempotencyRecord.objects.count() == 0
    assert post(client).status_code == 201


def test_a_fault_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Orders.go_on, "wait", lambda **_: 1 / 0)

    assert post(api()).status_code == 500
    assert created() == IdempotencyRecord.objects.count() == 0


def test_answers_are_forgotten_after_their_days(settings: Settings) -> None:
    client = api()
    post(client)
    record = IdempotencyRecord.objects.get()
    age(record, days=settings.IDEMPOTENCY_DAYS - 1)
    sweep()
    assert post(client)["Idempotency-Replayed"] == "true"

    age(record, days=settings.IDEMPOTENCY_DAYS + 1)
    sweep()

    assert not IdempotencyRecord.objects.exists()
    assert post(client).status_code == 201
    assert created() == 2


def age(record: IdempotencyRecord, *, days: int) -> None:
    created_at = timezone.now() - timedelta(days=days)
    IdempotencyRecord.objects.filter(pk=record.pk).update(created_at=created_at)


@pytest.fixture
def held() -> Iterator[None]:
    """Hold every post inside its view until told to go on."""
    Orders.entered.clear()
    Orders.go_on.clear()
    yield
    Orders.go_on.set()


def in_thread(answers: list[Any], client: APIClient, **what: str) -> threading.Thread:
    def ask() -> None:
        answers.append(post(client, **what))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
def test_a_second_post_while_the_first_runs_is_told_so(held: None) -> None:
    client = api()
    answers: list[Any] = []
    first = in_thread(answers, client)
    assert Orders.entered.wait(timeout=10)

    second = post(client)

    assert second.status_code == 409
    assert second.json()["code"] == "idempotency_key_running"
    assert second["Retry-After"] == "1"
    Orders.go_on.set()
    first.join(timeout=10)
    assert answers[0].status_code == 201
    assert created() == 1
    assert post(client).content == answers[0].content


@pytest.mark.django_db(transaction=True)
def test_other_keys_do_not_wait(held: None) -> None:
    client = api()
    answers: list[Any] = []
    threads = [in_thread(answers, client, key=str(number)) for number in range(2)]
    Orders.go_on.set()
    for thread in threads:
        thread.join(timeout=10)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert created() == 2


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_have_one_effect() -> None:
    client = api()
    answers: list[Any] = []
    threads = [in_thread(answers, client) for _ in range(8)]
    for thread in threads:
        thread.join(timeout=20)

    statuses = sorted(answer.status_code for answer in answers)
    assert len(statuses) == 8
    assert set(statuses) <= {201, 409}
    assert created() == 1
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
