"""Payouts and deposits: two people, a transfer for every step, and what comes back is whole."""

import uuid
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import AuditRow, Caller, Organization
from accounts.queries.callers import caller_of_membership
from accounts.services.organizations import ReasonMissing
from exchange.foundation.states import IllegalMove
from settlement.models import AccountKind, Deposit, Payout, Transfer, TransferCode
from settlement.services.deposit_approvals import (
    approve_deposit,
    enter_deposit,
    refuse_deposit,
    reverse_deposit,
)
from settlement.services.deposits import DepositDiffers, DepositOutOfRange, NotAnOperator
from settlement.services.four_eyes import OwnRequest
from settlement.services.holds import HoldRequest, InsufficientFunds, place_hold
from settlement.services.ledger import accounts_of
from settlement.services.payouts import (
    BankAccount,
    PayoutOutOfRange,
    ask_payout,
    cancel_payout,
    confirm_payout,
    fail_payout,
    return_payout,
    submit_payout,
)
from tests.factories import MembershipFactory, OrganizationFactory, api, member, operator, portal
from tests.settlement.books import a_transfer, money_of, post, put_in
from tests.settlement.deliveries import balance, broken, house

pytestmark = pytest.mark.django_db
BANK = BankAccount(holder="Lab Ltd", bank="Bank of Tests", account="6222 0200 1234")
YUAN = 1_000_000


@pytest.fixture
def owner() -> Organization:
    organization = OrganizationFactory.create()
    put_in(organization, 100 * YUAN)
    return organization


@pytest.fixture
def actor() -> Caller:
    return member(operator())


def ask(owner: Organization, amount: int = 40 * YUAN, **changes: Any) -> Payout:
    wish: dict[str, Any] = {"source": AccountKind.AVAILABLE, "to": BANK, "caller": member(owner)}
    return ask_payout(amount_micros=amount, **(wish | changes))


def test_what_is_asked_for_is_set_aside_and_cannot_be_spent(owner: Organization) -> None:
    payout = ask(owner)
    assert money_of(owner).available_micros == 60 * YUAN
    assert balance(owner, AccountKind.WITHDRAWING) == 40 * YUAN
    assert AuditRow.objects.about(payout).get().verb == "ask"
    with pytest.raises(InsufficientFunds):
        place_hold(HoldRequest("bid_1", owner.pk, 61 * YUAN))
    assert broken() == []


def test_each_step_moves_the_money_on_until_it_is_with_the_bank(
    owner: Organization, actor: Caller
) -> None:
    payout = ask(owner)
    submit_payout(payout, reason="run 7", actor=actor)
    assert (balance(owner, AccountKind.WITHDRAWING), house(AccountKind.IN_TRANSIT)) == (
        0,
        40 * YUAN,
    )
    assert broken() == []
    confirm_payout(payout, reason="paid", actor=actor)
    assert house(AccountKind.IN_TRANSIT) == 0
    assert house(AccountKind.EXTERNAL) == -60 * YUAN
    assert broken() == []


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_what_fails_or_comes_back_is_undone_by_transfers_that_name_the_first(
    owner: Organization, actor: Caller, steps: int
) -> None:
    payout = ask(owner)
    for step in (submit_payout, confirm_payout)[:steps]:
        step(payout, reason="so", actor=actor)
    undo = return_payout if steps == 2 else fail_payout
    undo(payout, reason="account closed", actor=actor)

    assert money_of(owner).available_micros == 100 * YUAN
    undone = Transfer.objects.filter(code=TransferCode.REVERSAL)
    assert undone.count() == steps + 1
    firsts = {payout.asked_id, payout.sent_id, payout.paid_id} - {None}
    assert set(undone.values_list("reverses_id", flat=True)) == firsts
    assert (payout.state, payout.reason_detail) == (
        "returned" if steps == 2 else "failed",
        "account closed",
    )
    assert broken() == []


def test_who_asked_cannot_approve_even_as_an_operator(owner: Organization) -> None:
    both = member(operator())
    asking = MembershipFactory.create(organization=owner, user_id=both.user_id)
    payout = ask(owner, caller=caller_of_membership(asking))
    with pytest.raises(OwnRequest):
        submit_payout(payout, reason="me again", actor=both)
    assert Payout.objects.get().state == "created"


def test_only_an_operator_moves_a_payout_on(owner: Organization) -> None:
    payout, stranger = ask(owner), member(OrganizationFactory.create())
    for step in (submit_payout, confirm_payout, fail_payout, return_payout):
        with pytest.raises(NotAnOperator):
            step(payout, reason="please", actor=stranger)


def test_a_step_out_of_order_is_refused_and_posts_nothing(
    owner: Organization, actor: Caller
) -> None:
    payout = ask(owner)
    posted = Transfer.objects.count()
    for step in (confirm_payout, return_payout):
        with pytest.raises(IllegalMove), transaction.atomic():
            step(payout, reason="too early", actor=actor)
    submit_payout(payout, reason="run 7", actor=actor)
    with pytest.raises(IllegalMove):
        submit_payout(payout, reason="again", actor=actor)
    with pytest.raises(IllegalMove):
        cancel_payout(payout.public_id, caller=member(owner))
    assert Transfer.objects.count() == posted + 1
    assert broken() == []


def test_held_money_is_not_paid_out(owner: Organization) -> None:
    place_hold(HoldRequest("bid_1", owner.pk, 70 * YUAN))
    with pytest.raises(InsufficientFunds):
        ask(owner)
    assert not Payout.objects.exists()
    assert ask(owner, 30 * YUAN).state == "created"


def test_a_provider_is_paid_what_it_is_owed_and_no_more(owner: Organization) -> None:
    payable = accounts_of(AccountKind.PAYABLE, [owner.pk])[owner.pk]
    post("owed", [a_transfer("owed", money_of(owner).pk, payable, 50 * YUAN)])
    with pytest.raises(InsufficientFunds):
        ask(owner, 51 * YUAN, source=AccountKind.PAYABLE)
    ask(owner, 50 * YUAN, source=AccountKind.PAYABLE)
    assert balance(owner, AccountKind.PAYABLE) == 0
    assert broken() == []


@pytest.mark.parametrize("amount", [0, -10_000, 9_999, 10_001, 10**15 + 10_000])
def test_an_amount_that_no_bank_can_pay_is_refused(owner: Organization, amount: int) -> None:
    with pytest.raises(PayoutOutOfRange):
        ask(owner, amount)


def test_over_rest_it_is_asked_for_followed_and_cancelled(owner: Organization) -> None:
    client = api(owner)
    body = {
        "amount": "40.00",
        "source": "available",
        "holder": "Lab Ltd",
        "bank": "Bank of Tests",
        "account": "6222 0200 1234",
    }
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = (client.post("/api/v1/payouts", body, headers=key) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    payout = first.json()
    assert (payout["state"], payout["amount"], payout["account_end"]) == (
        "created",
        "40.000000",
        "1234",
    )
    assert client.get("/api/v1/payouts?state=created").json()["data"] == [payout]
    gone = client.post(f"{first['Location']}/cancel")
    assert (gone.json()["state"], gone.json()["reason_code"]) == ("failed", "cancelled")
    again = client.post(f"{first['Location']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_move")
    assert money_of(owner).available_micros == 100 * YUAN


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "1000.00"}, "insufficient_funds"),
        ({"amount": "0.001"}, "payout_out_of_range"),
        ({"amount": "0"}, "validation_failed"),
        ({"source": "fee"}, "validation_failed"),
        ({"account": ""}, "validation_failed"),
        ({"to": "x"}, "validation_failed"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(
    owner: Organization, change: dict[str, str], code: str
) -> None:
    body = {"amount": "1.00", "source": "available", "holder": "a", "bank": "b", "account": "c"}
    answer = send(api(owner), body | change)
    assert answer.json()["code"] == code
    assert not Payout.objects.exists()


def send(client: APIClient, body: dict[str, str]) -> Any:
    return client.post("/api/v1/payouts", body, headers={"Idempotency-Key": str(uuid.uuid4())})


def test_the_portal_asks_and_cancels(owner: Organization) -> None:
    client = portal(owner)
    form = {
        "source": "available",
        "amount": "40",
        "holder": "Lab Ltd",
        "bank": "Bank of Tests",
        "account": "6222 0200 1234",
    }
    assert client.post("/money/payouts/", form).status_code == 302
    shown = client.get("/money/").content.decode()
    assert "…1234" in shown
    assert "6222" not in shown
    too_much = client.post("/money/payouts/", form | {"amount": "61"})
    assert too_much.status_code == 422
    assert "not that much free money" in too_much.content.decode()
    payout = Payout.objects.get()
    client.post(f"/money/payouts/{payout.public_id}/cancel/")
    assert "Cancelled" in client.get("/money/").content.decode()
    assert money_of(owner).available_micros == 100 * YUAN


def test_a_viewer_sees_payouts_and_asks_for_none(owner: Organization) -> None:
    ask(owner)
    shown = portal(owner, role="viewer").get("/money/").content.decode()
    assert "Bank of Tests" in shown
    assert "Ask for the payout" not in shown


def enter(owner: Organization, actor: Caller, amount: int = 5 * YUAN) -> Deposit:
    return enter_deposit(
        owner.pk, amount_micros=amount, reference="wire 17", reason="paid in", actor=actor
    )


def test_a_deposit_is_credited_once_another_operator_approves(
    owner: Organization, actor: Caller
) -> None:
    entered = enter(owner, actor)
    assert money_of(owner).available_micros == 100 * YUAN
    with pytest.raises(OwnRequest):
        approve_deposit(entered, reason="mine", actor=actor)
    approve_deposit(entered, reason="seen on the account", actor=member(operator()))
    assert money_of(owner).available_micros == 105 * YUAN
    with pytest.raises(IllegalMove):
        approve_deposit(entered, reason="again", actor=member(operator()))
    assert money_of(owner).available_micros == 105 * YUAN
    assert broken() == []


def test_the_same_reference_is_one_deposit(owner: Organization, actor: Caller) -> None:
    assert enter(owner, actor).pk == enter(owner, actor).pk
    with pytest.raises(DepositDiffers):
        enter(owner, actor, 6 * YUAN)


def test_a_deposit_needs_an_operator_a_reason_and_an_amount(
    owner: Organization, actor: Caller
) -> None:
    with pytest.raises(NotAnOperator):
        enter(owner, member(owner))
    with pytest.raises(DepositOutOfRange):
        enter(owner, actor, 0)
    with pytest.raises(ReasonMissing):
        refuse_deposit(enter(owner, actor), reason=" ", actor=actor)


def test_a_mistaken_deposit_is_refused_or_reversed_while_the_money_is_there(
    owner: Organization, actor: Caller
) -> None:
    entered, other = enter(owner, actor), member(operator())
    approve_deposit(entered, reason="seen", actor=other)
    place_hold(HoldRequest("bid_1", owner.pk, 101 * YUAN))
    with pytest.raises(InsufficientFunds), transaction.atomic():
        reverse_deposit(Deposit.objects.get(), reason="not ours", actor=other)
    assert Deposit.objects.get().state == "posted"
    put_in(owner, YUAN, key="more")
    reverse_deposit(Deposit.objects.get(), reason="not ours", actor=other)
    assert money_of(owner).available_micros == 0
    assert broken() == []


def test_the_audit_finds_a_payout_that_was_moved_by_hand(owner: Organization) -> None:
    payout = ask(owner)
    Payout.objects.filter(pk=payout.pk).update(state="submitted")
    found = " ".join(broken())
    assert "money asked to be paid out" in found
    assert "money on its way to banks" in found
