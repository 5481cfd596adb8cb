"""Disputes from API, portal and admin: evidence attached, decided once, settled by a delta."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditRow
from exchange.foundation.states import IllegalMove
from settlement.models import AccountKind, Dispute, DisputeEvidence, DisputeState, SettlementRun
from settlement.services.deposits import NotAnOperator
from settlement.services.disputes import (
    NotDisputable,
    call_for_evidence,
    open_dispute,
    rule_dispute,
    withdraw_dispute,
)
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.factories import UserFactory, api, member, operator, portal
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MONEY,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    balance,
    broken,
    play_at,
)

pytestmark = pytest.mark.django_db
YUAN = 1_000_000
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def settled() -> Delivery:
    """An hour that the provider's meter and the buyer's both saw, settled once."""
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    ingest(buyers, [an_event(delivery, meter=buyers)])
    settle_due(now)
    delivery.period.refresh_from_db()
    return delivery


def objected(delivery: Delivery, claimed_ms: int = 0) -> Dispute:
    return open_dispute(
        delivery.period,
        claimed_ms=claimed_ms,
        reason="no network",
        now=TEN + 4 * HOUR,
        actor=member(delivery.buyer),
    )


def test_both_meters_series_are_attached_and_stay(settled: Delivery) -> None:
    dispute = objected(settled)
    rows = DisputeEvidence.objects.filter(dispute=dispute)
    assert sorted(rows.values_list("party", "accel_ms_total")) == [
        ("buyer", HOUR_MS),
        ("provider", HOUR_MS),
    ]
    call_for_evidence(dispute, actor=member(operator()))
    assert rows.count() == 2
    assert AuditRow.objects.about(dispute).count() == 2


def test_meters_that_disagree_attach_their_own_evidence() -> None:
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    ingest(buyers, [an_event(delivery, meter=buyers, total=HOUR_MS // 2)])
    settle_due(now)
    told = DisputeEvidence.objects.values_list("party", "accel_ms_total")
    assert sorted(told) == [("buyer", HOUR_MS // 2), ("provider", HOUR_MS)]
    with pytest.raises(NotDisputable):
        withdraw_dispute(Dispute.objects.get(), now=now, actor=member(delivery.buyer))


def test_an_upheld_dispute_is_settled_by_the_difference_alone(settled: Delivery) -> None:
    assert balance(settled.buyer, AccountKind.AVAILABLE) == MONEY - 10_100_000
    dispute, day = objected(settled, HOUR_MS // 2), TEN + timedelta(days=1, hours=2)
    rule_dispute(
        dispute, DisputeState.UPHELD, decision="by the logs", now=day, actor=member(operator())
    )
    settle_due(play_at(day))
    runs = SettlementRun.objects.order_by("run_no")
    assert [run.buyer_due_micros for run in runs] == [10 * YUAN, 5 * YUAN]
    assert balance(settled.buyer, AccountKind.AVAILABLE) == MONEY - 5_050_000 + 2_500_000
    assert broken() == []


def test_a_period_in_dispute_is_not_final_until_it_is_decided(settled: Delivery) -> None:
    dispute = objected(settled)
    for day in (1, 7, 14, 20):
        settle_due(play_at(TEN + timedelta(days=day, hours=2)))
    settled.period.refresh_from_db()
    assert (settled.period.state, settled.period.next_run_no) == ("disputed", 4)
    withdraw_dispute(dispute, now=TEN + timedelta(days=21), actor=member(settled.buyer))
    settle_due(play_at(TEN + timedelta(days=21)))
    settled.period.refresh_from_db()
    assert settled.period.state == "final"
    assert broken() == []


def test_only_an_operator_rules_and_only_once(settled: Delivery) -> None:
    dispute = objected(settled)
    ruling: dict[str, Any] = {"decision": "so", "now": TEN + 5 * HOUR}
    with pytest.raises(NotAnOperator):
        rule_dispute(dispute, DisputeState.UPHELD, actor=member(settled.buyer), **ruling)
    with pytest.raises(NotDisputable):
        withdraw_dispute(dispute, now=TEN + 5 * HOUR, actor=member(settled.provider))
    rule_dispute(dispute, DisputeState.REJECTED, actor=member(operator()), **ruling)
    with pytest.raises(IllegalMove):
        rule_dispute(dispute, DisputeState.UPHELD, actor=member(operator()), **ruling)


def test_over_rest_a_dispute_is_opened_read_with_its_evidence_and_withdrawn(
    settled: Delivery,
) -> None:
    buyer, provider = api(settled.buyer), api(settled.provider)
    body = {
        "contract": settled.contract.public_id,
        "period_starts_at": "2026-01-05T10:00:00Z",
        "claimed_ms": 1_800_000,
        "reason": "no network",
    }
    made = post(buyer, "disputes", body)
    assert made.status_code == 201, made.content
    assert made.json()["opened_by"] == settled.buyer.public_id
    again = post(buyer, "disputes", body)
    assert (again.status_code, again.json()["code"]) == (409, "already_disputed")
    where = made["Location"]
    evidence = provider.get(f"{where}/evidence").json()["data"]
    assert {row["party"] for row in evidence} == {"provider", "buyer"}
    assert provider.get("/api/v1/disputes?state=open").json()["data"][0]["claimed_ms"] == 1_800_000
    assert provider.post(f"{where}/withdraw").status_code == 404
    assert buyer.post(f"{where}/withdraw").json()["state"] == "withdrawn"
    assert buyer.post(f"{where}/withdraw").json()["code"] == "illegal_move"
    assert broken() == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"claimed_ms": -1}, 400, "validation_failed"),
        ({"claimed_ms": HOUR_MS + 1}, 422, "bad_ruling"),
        ({"period_starts_at": "2026-01-05T11:00:00Z"}, 404, "not_found"),
        ({"contract": "ctr_none"}, 404, "not_found"),
        ({"why": "so"}, 400, "validation_failed"),
    ],
)
def test_a_wrong_objection_is_refused(
    settled: Delivery, change: dict[str, Any], status: int, code: str
) -> None:
    body = {
        "contract": settled.contract.public_id,
        "period_starts_at": "2026-01-05T10:00:00Z",
        "claimed_ms": 0,
        "reason": "no network",
    }
    answer = post(api(settled.buyer), "disputes", body | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Dispute.objects.exists()


def post(client: Any, door: str, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/{door}", body, headers={"Idempotency-Key": str(uuid.uuid4())})


def test_in_the_portal_a_party_objects_sees_the_series_and_withdraws(settled: Delivery) -> None:
    client, where = portal(settled.buyer), f"/contracts/{settled.contract.public_id}/"
    link = f"{where}dispute/?period={settled.period.pk}"
    assert link in client.get(where).content.decode()
    assert "2026-01-05 18:00" in client.get(link).content.decode()
    form = {"period": str(settled.period.pk), "claimed": "0.5", "reason": "no network"}
    too_much = client.post(f"{where}dispute/", form | {"claimed": "2"})
    assert (too_much.status_code, "what was contracted" in too_much.content.decode()) == (422, True)
    assert client.post(f"{where}dispute/", form).status_code == 302
    dispute = Dispute.objects.get()
    shown = portal(settled.provider).get(f"/disputes/{dispute.public_id}/").content.decode()
    assert "serial of bid_1" in shown
    assert "Withdraw the dispute" not in shown
    assert client.post(f"{where}dispute/", form).status_code == 422
    client.post(f"/disputes/{dispute.public_id}/withdraw/")
    assert "withdrawn" in client.get(f"/disputes/{dispute.public_id}/").content.decode()


def test_in_the_admin_an_operator_calls_for_evidence_and_rules(settled: Delivery) -> None:
    dispute, client = objected(settled), Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True), backend=BACKEND)
    rows = {"_selected_action": [str(dispute.pk)], "reason": "look at the logs"}
    listed = reverse("admin:settlement_dispute_changelist")
    client.post(listed, {"action": "call", **rows})
    dispute.refresh_from_db()
    assert dispute.state == "evidence"
    page = reverse("admin:settlement_dispute_change", args=[dispute.pk])
    assert str(HOUR_MS) in client.get(page).content.decode()
    ruling = {"dispute": dispute.public_id, "hours": "0.25", "reason": "a quarter of it"}
    enter = reverse("admin:settlement_dispute_enter")
    assert client.post(enter, ruling | {"hours": "2"}).status_code == 200
    assert client.post(enter, ruling).status_code == 302
    dispute.refresh_from_db()
    assert (dispute.state, dispute.ruled_ms) == ("partial", HOUR_MS // 4)
