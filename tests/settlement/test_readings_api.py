"""The meters' door over HTTP, and simulated meters that knock on it."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from accounts.models import ApiKey
from settlement.models import Dispute, Party, Reading, ReadingEvent, SettlementRun
from settlement.services.metering import enroll_meter, revoke_meter
from settlement.services.settling import settle_due
from tests.factories import api, api_with, caller
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    SITE,
    TEN,
    a_delivery,
    an_event,
    broken,
    play_at,
)

BATCH = "application/cloudevents-batch+json"
DOOR = "/api/v1/readings"
WATCH = "/api/v1/meter"
pytestmark = pytest.mark.django_db


def post(client: APIClient, body: Any, content_type: str = BATCH) -> Any:
    sent: Any = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.generic("POST", DOOR, sent, content_type)


def test_each_event_of_a_batch_is_answered_in_order() -> None:
    play_at(TEN + 3 * HOUR)
    delivery = a_delivery()
    event = an_event(delivery)

    answer = post(api_with(delivery.token), [event, {"id": "broken"}, event, 5])

    assert answer.status_code == 200
    body = answer.json()
    assert [row["status"] for row in body["answers"]] == [
        "accepted",
        "rejected",
        "duplicate",
        "rejected",
    ]
    assert [row["id"] for row in body["answers"]] == [event["id"], "broken", event["id"], None]
    assert body["answers"][1]["code"] == "attribute_missing"
    assert body["answers"][1]["pointer"] == "/specversion"
    assert (body["accepted"], body["duplicate"], body["rejected"]) == (1, 1, 2)
    assert Reading.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "json_invalid"),
        ("[NaN]", 400, "json_number"),
        ('[{"id": 1, "id": 2}]', 400, "json_name_twice"),
        ({}, 400, "batch_invalid"),
        ([], 400, "batch_length"),
        ([{}] * 1_001, 400, "batch_length"),
        ("[" * 100 + "]" * 100, 400, "json_too_deep"),
        (b"\xff", 400, "json_encoding"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(body: Any, status: int, code: str) -> None:
    delivery = a_delivery()

    answer = post(api_with(delivery.token), body)

    codes = {answer.json()["code"], *(each["code"] for each in answer.json()["errors"])}
    assert answer.status_code == status
    assert code in codes
    assert not ReadingEvent.objects.exists()


def test_it_takes_batches_of_cloudevents_and_nothing_else() -> None:
    delivery = a_delivery()

    assert post(api_with(delivery.token), [], "application/json").status_code == 415
    assert api_with(delivery.token).get(DOOR).status_code == 405


def test_only_a_meters_own_live_key_reports() -> None:
    delivery = a_delivery()
    body = [an_event(delivery)]

    assert post(APIClient(), body).status_code == 401
    no_meter = post(api(delivery.provider), body)
    assert (no_meter.status_code, no_meter.json()["code"]) == (403, "not_a_meter")
    revoke_meter(delivery.meter, now=TEN, reason="replaced", actor=caller())
    revoked = post(api_with(delivery.token), body)
    assert (revoked.status_code, revoked.json()["code"]) == (403, "meter_revoked")
    assert not ReadingEvent.objects.exists()


def test_a_meters_key_opens_no_other_door() -> None:
    delivery = a_delivery()

    for path in ("contracts", "statements", "balances"):
        assert api_with(delivery.token).get(f"/api/v1/{path}").status_code == 403
    assert ApiKey.objects.get().meter == delivery.meter.public_id


def test_a_meter_is_told_what_it_is_to_watch() -> None:
    play_at(TEN)
    delivery = a_delivery(hours=2)
    span = {"starts_at": "2026-01-05T10:00:00Z", "ends_at": "2026-01-05T12:00:00Z"}
    watched = {
        "id": delivery.device.public_id,
        "serial": "serial of bid_1",
        "accelerator": "h100",
        "capacity_lots": 1_000,
        "assignments": [{"contract": delivery.contract.public_id, **span}],
    }
    place = {"party": "provider", "site": "site-a", "devices": [watched]}

    told = api_with(delivery.token).get(WATCH)

    assert told.json() == {"meter": delivery.meter.public_id, **place}
    play_at(TEN + 30 * HOUR)
    later = api_with(delivery.token).get(WATCH).json()["devices"]
    assert [each["assignments"] for each in later] == [[]]


def test_a_buyers_meter_is_told_of_the_devices_that_serve_the_buyer_alone() -> None:
    play_at(TEN)
    delivery = a_delivery()
    other = a_delivery(bid="bid_2", provider=delivery.provider, auction_id="auc_2")
    _, token = enroll_meter(delivery.buyer, party=Party.BUYER, site_code=SITE, now=TEN)

    told = api_with(token).get(WATCH).json()

    assert [each["id"] for each in told["devices"]] == [delivery.device.public_id]
    both = api_with(delivery.token).get(WATCH).json()["devices"]
    assert {each["id"] for each in both} == {delivery.device.public_id, other.device.public_id}


def test_a_revoked_meter_is_told_nothing() -> None:
    delivery = a_delivery()
    revoke_meter(delivery.meter, now=TEN, reason="lost", actor=caller())

    refused = api_with(delivery.token).get(WATCH)

    assert (refused.status_code, refused.json()["code"]) == (403, "meter_revoked")


def test_simulated_meters_report_what_their_devices_delivered() -> None:
    delivery = a_delivery(hours=4)
    now = play_at(TEN + 6 * HOUR)
    said = StringIO()

    wild = ("--loss=0.3", "--repeat=0.2", "--reorder", "--every-minutes=1")
    call_command(
        "simulate_meters",
        "--auction=auc_1",
        "--direct",
        f"--shortfall={delivery.provider.public_id}=0.25",
        *wild,
        stdout=said,
    )
    settle_due(now)

    assert {run.delivered_ms for run in SettlementRun.objects.all()} == {HOUR_MS * 3 // 4}
    assert " accepted" in said.getvalue()
    assert " duplicate" in said.getvalue()
    assert "counter" not in said.getvalue()
    assert broken() == []


def test_a_second_longer_play_repeats_the_first_and_goes_on() -> None:
    a_delivery(hours=4)
    play_at(TEN + 2 * HOUR + timedelta(minutes=7))
    call_command("simulate_meters", "--day=2026-01-05", "--direct", stdout=StringIO())
    first = Reading.objects.count()

    now = play_at(TEN + 6 * HOUR)
    said = StringIO()
    call_command("simulate_meters", "--day=2026-01-05", "--direct", stdout=said)
    settle_due(now)

    assert f"{first} duplicate" in said.getvalue()
    assert {run.delivered_ms for run in SettlementRun.objects.all()} == {HOUR_MS}


def test_buyers_meters_may_be_played_as_well() -> None:
    a_delivery()
    now = play_at(TEN + 3 * HOUR)

    call_command("simulate_meters", "--auction=auc_1", "--direct", "--buyers", stdout=StringIO())
    settle_due(now)

    run = SettlementRun.objects.get()
    assert run.provider_ms == run.buyer_ms == HOUR_MS


def test_a_meter_that_lies_is_told_from_its_devices() -> None:
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    organization = delivery.buyer.public_id

    lie = ("--buyers", f"--lie={organization}=-0.3", "--skew-ms=2000", "--conflict=0.5")
    said = StringIO()
    call_command("simulate_meters", "--auction=auc_1", "--direct", *lie, stdout=said)
    settle_due(now)

    run = SettlementRun.objects.get()
    assert (run.provider_ms, run.buyer_ms) == (HOUR_MS, HOUR_MS * 7 // 10)
    assert Dispute.objects.undecided().count() == 1
    assert " conflict" in said.getvalue()


def test_a_play_at_a_speed_reports_the_same_as_one_at_once() -> None:
    a_delivery()
    now = play_at(TEN + 3 * HOUR)
    usual = ("--auction=auc_1", "--direct", "--loss=0.3", "--reboot=0.1", "--every-minutes=1")

    call_command("simulate_meters", *usual, "--speed=40000", stdout=StringIO())
    said = StringIO()
    call_command("simulate_meters", *usual, stdout=said)
    settle_due(now)

    assert f"{Reading.objects.count()} duplicate" in said.getvalue()
    assert " accepted" not in said.getvalue()


@pytest.mark.parametrize("wrong", ["--loss=2", "--loss=-0.1", "--loss=much"])
def test_shares_are_between_nothing_and_all(wrong: str) -> None:
    with pytest.raises(CommandError, match="invalid share value"):
        call_command("simulate_meters", "--auction=auc_1", "--direct", wrong)


def test_a_play_needs_to_know_whose_contracts() -> None:
    with pytest.raises(CommandError, match="--auction or a --day"):
        call_command("simulate_meters", "--direct")


@pytest.mark.django_db(transaction=True)
def test_simulated_meters_knock_on_the_real_door(
    live_server: LiveServer, clean_readings: None
) -> None:
    a_delivery(hours=2)
    now = play_at(TEN + 6 * HOUR)

    call_command("simulate_meters", "--auction=auc_1", "--url", live_server.url, stdout=StringIO())
    settle_due(now)

    assert {run.delivered_ms for run in SettlementRun.objects.all()} == {HOUR_MS}
