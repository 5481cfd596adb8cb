"""What settlement tells the outbox, in the transaction in which it happens."""

from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import EventType, Organization, OutboxEvent
from settlement.models import AccountKind, ContractState, Dispute, DisputeState
from settlement.services import announcing, settling
from settlement.services.contract_moves import advance_contracts
from settlement.services.contracts import move_contract
from settlement.services.deposits import deposit
from settlement.services.disputes import call_for_evidence, decide_dispute
from settlement.services.metering import ingest
from settlement.services.payouts import (
    BankAccount,
    ask_payout,
    fail_payout,
    submit_payout,
)
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.accounts.endpoints import an_endpoint, an_owner
from tests.factories import caller, operator
from tests.settlement.books import an_organization, put_in
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MONEY,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    play_at,
)

pytestmark = pytest.mark.django_db


def told(kind: EventType, organization: Organization) -> list[dict[str, Any]]:
    """Return what an organization was told of one kind, in order."""
    rows = OutboxEvent.objects.filter(type=kind, organization=organization).order_by("pk")
    return [row.data for row in rows]


def listening(name: str) -> Organization:
    """Return an organization with an endpoint that listens for everything, and money."""
    organization = an_organization(name)
    put_in(organization, MONEY)
    an_endpoint(owner=an_owner(organization))
    return organization


def settled(delivery: Delivery, *, total: int = HOUR_MS) -> None:
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, total=total)])
    settle_due(now)


def test_the_parties_that_listen_are_told_of_a_new_contract() -> None:
    buyer = listening("Buyer")
    delivery = a_delivery(buyer=buyer)

    (said,) = told(EventType.CONTRACT_OPENED, buyer)

    assert said == {
        "contract": delivery.contract.public_id,
        "role": "buyer",
        "auction": "auc_1",
        "bid": "bid_1",
        "site": "site-a",
        "accelerator": "h100",
        "starts_at": "2026-01-05T10:00:00Z",
        "ends_at": "2026-01-05T11:00:00Z",
    }
    assert told(EventType.CONTRACT_OPENED, delivery.provider) == []  # it listens nowhere


def test_contracts_that_move_by_the_clock_or_by_hand_are_told_of() -> None:
    buyer = listening("Buyer")
    delivery = a_delivery(buyer=buyer)

    advance_contracts(play_at(TEN + HOUR / 2))
    delivery.contract.refresh_from_db()
    move_contract(delivery.contract, ContractState.DEGRADED, reason="no heartbeat")

    moves = [(said["was"], said["state"]) for said in told(EventType.CONTRACT_MOVED, buyer)]
    assert moves == [
        ("scheduled", "provisioning"),
        ("provisioning", "active"),
        ("active", "degraded"),
    ]


def test_a_run_is_told_of_to_who_listens() -> None:
    buyer = listening("Buyer")
    delivery = a_delivery(buyer=buyer)

    settled(delivery)

    (said,) = told(EventType.PERIOD_SETTLED, buyer)
    assert (said["run"], said["role"]) == (1, "buyer")
    assert (said["contracted_hours"], said["delivered_hours"]) == ("1.000", "1.000")
    assert (said["due"], said["penalty"]) == ("10.000000", "0.000000")
    assert told(EventType.PERIOD_SETTLED, delivery.provider) == []
    assert told(EventType.CONTRACT_SHORTFALL, buyer) == []


def test_both_parties_are_told_of_a_shortfall_once_a_contract() -> None:
    delivery = a_delivery(hours=3)
    now = play_at(TEN + 6 * HOUR)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS // 2)])

    settle_due(now)

    for organization, role in ((delivery.buyer, "buyer"), (delivery.provider, "provider")):
        (said,) = told(EventType.CONTRACT_SHORTFALL, organization)
        assert (said["role"], said["periods"], said["shortfall_hours"]) == (role, 3, "2.500")
        assert said["penalty"] == "12.500000"


def test_a_shortfall_that_later_runs_only_confirm_is_told_once() -> None:
    delivery = a_delivery()
    settled(delivery, total=HOUR_MS // 2)

    assert settle_due(play_at(TEN + 48 * HOUR)) == 1

    assert len(told(EventType.CONTRACT_SHORTFALL, delivery.buyer)) == 1


def test_each_step_of_a_dispute_is_told_to_both_parties() -> None:
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    ingest(buyers, [an_event(delivery, meter=buyers, total=HOUR_MS // 2)])
    settle_due(now)
    dispute = Dispute.objects.get()
    call_for_evidence(dispute, actor=caller(operator()))
    decide_dispute(dispute, DisputeState.UPHELD, decision="by the logs", now=now)

    for organization in (delivery.buyer, delivery.provider):
        said = told(EventType.DISPUTE_MOVED, organization)
        assert [each["state"] for each in said] == ["open", "evidence", "upheld"]
        assert said[-1]["reason"] == "by the logs"
        assert said[-1]["ruled_hours"] == "1.000"


def test_what_the_meters_settle_between_them_is_told() -> None:
    delivery = a_delivery()
    buyers = delivery.add_buyers_meter()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    half = an_event(delivery, meter=buyers, ends=TEN + HOUR // 2, total=HOUR_MS // 2)
    ingest(buyers, [half])
    settle_due(now)
    now = play_at(TEN + 26 * HOUR)
    ingest(
        buyers, [an_event(delivery, meter=buyers, seq=2, starts=TEN + HOUR // 2, ends=TEN + HOUR)]
    )
    settle_due(now)

    said = told(EventType.DISPUTE_MOVED, delivery.buyer)

    assert [each["state"] for each in said] == ["open", "withdrawn"]


def test_a_final_statement_is_told_with_its_number() -> None:
    delivery = a_delivery()
    settled(delivery)

    finalize_due(datetime(2026, 2, 2, tzinfo=UTC))

    (said,) = told(EventType.STATEMENT_FINALIZED, delivery.buyer)
    assert (said["side"], said["number"]) == ("buyer", 1)


def test_a_deposit_is_told_once_however_often_it_is_entered() -> None:
    buyer, actor = an_organization(), caller(operator())
    for _ in range(2):
        deposit(buyer.pk, amount_micros=1_500_000, reason="wire", actor=actor, key="17")

    (said,) = told(EventType.DEPOSIT_POSTED, buyer)
    assert (said["amount"], said["currency"]) == ("1.500000", "CNY")


def test_each_step_of_a_payout_is_told() -> None:
    buyer = an_organization()
    put_in(buyer, MONEY)
    asked = ask_payout(
        amount_micros=10_000,
        source=AccountKind.AVAILABLE,
        to=BankAccount(holder="a", bank="b", account="c"),
        caller=caller(buyer),
    )
    submit_payout(asked, reason="order 7", actor=caller(operator()))
    fail_payout(asked, reason="no such account", actor=caller(operator()))

    said = told(EventType.PAYOUT_MOVED, buyer)

    assert [each["state"] for each in said] == ["created", "submitted", "failed"]
    assert (said[0]["amount"], said[2]["reason"]) == ("0.010000", "bank_refused")


def test_a_run_that_is_taken_back_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    buyer = listening("Buyer")
    delivery = a_delivery(buyer=buyer)
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    said_before = OutboxEvent.objects.count()
    tell = announcing.tell_periods_settled

    def tell_and_die(*args: Any, **options: Any) -> None:
        tell(*args, **options)
        raise RuntimeError("killed")

    monkeypatch.setattr(settling, "tell_periods_settled", tell_and_die)
    with pytest.raises(RuntimeError):
        settle_due(now)

    assert OutboxEvent.objects.count() == said_before
