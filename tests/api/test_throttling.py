"""So many requests a key, and headers that say how many are left."""

import uuid

import pytest
import time_machine
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.web.throttling import KeyRate
from tests.factories import OrganizationFactory, api

pytestmark = pytest.mark.django_db
ME = "/api/v1/me"
NOON = "2026-11-22T12:00:10Z"


def test_the_headers_count_down() -> None:
    client = api(rate="3/minute")

    with time_machine.travel(NOON, tick=False):
        answers = [client.get(ME) for _ in range(2)]

    assert [answer["RateLimit-Limit"] for answer in answers] == ["3", "3"]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1"]
    assert answers[0]["RateLimit-Reset"] == "50"


def test_one_more_than_the_rate_is_a_429_until_the_next_window() -> None:
    client = api(rate="2/minute")

    with time_machine.travel(NOON, tick=False) as clock:
        answers = [client.get(ME) for _ in range(3)]
        clock.shift(50)
        later = client.get(ME)

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "throttled"
    assert answers[2]["Content-Type"] == "application/problem+json"
    assert answers[2]["Retry-After"] == "50"
    assert answers[2]["RateLimit-Remaining"] == "0"
    assert later.status_code == 200


def test_each_key_has_a_count_of_its_own() -> None:
    organization = OrganizationFactory.create()
    first, second = (api(organization, rate="1/hour") for _ in range(2))

    assert first.get(ME).status_code == second.get(ME).status_code == 200
    assert first.get(ME).status_code == second.get(ME).status_code == 429


def test_a_key_without_a_rate_has_the_house_s(settings: Settings) -> None:
    settings.API_RATE = "7/hour"

    assert api().get(ME)["RateLimit-Limit"] == "7"


@pytest.mark.urls("tests.api.doors")
def test_without_a_key_requests_count_by_address(settings: Settings) -> None:
    settings.API_RATE = "1/hour"
    here, there = (APIClient(REMOTE_ADDR=str(uuid.uuid4())) for _ in range(2))

    assert here.get("/api/faults/missing").status_code == 404
    assert here.get("/api/faults/missing").status_code == 429
    assert there.get("/api/faults/missing").status_code == 404


def test_without_redis_the_market_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(KeyRate, "silent_until", 0.0)
    client = api(rate="1/hour")

    answers = [client.get(ME) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "RateLimit-Limit" not in answers[0]
    assert sum("rate_not_counted" in record.getMessage() for record in caplog.records) == 1
