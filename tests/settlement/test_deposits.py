"""Deposits: by an operator, with a reason, once."""

import pytest

from accounts.models import AuditRow
from accounts.services.organizations import ReasonMissing
from settlement.models import Transfer
from settlement.services.deposits import (
    AMOUNT_MAX_MICROS,
    DepositDiffers,
    DepositOutOfRange,
    NotAnOperator,
    deposit,
)
from tests.factories import OrganizationFactory, caller, operator
from tests.settlement.books import money_of

pytestmark = pytest.mark.django_db


def test_an_operator_credits_a_buyer_and_it_is_written_down() -> None:
    buyer, actor = OrganizationFactory.create(), caller(operator())
    transfer = deposit(buyer.pk, amount_micros=500, reason="wire 17", actor=actor, key="17")
    assert money_of(buyer).available_micros == 500
    row = AuditRow.objects.about(transfer).get()
    assert (row.verb, row.reason, row.api_key_id) == ("deposit", "wire 17", actor.api_key_id)


def test_the_same_deposit_again_changes_nothing() -> None:
    buyer, actor = OrganizationFactory.create(), caller(operator())
    first, second = (
        deposit(buyer.pk, amount_micros=500, reason="wire 17", actor=actor, key="17")
        for _ in range(2)
    )
    assert first.pk == second.pk
    assert money_of(buyer).available_micros == 500
    assert AuditRow.objects.about(first).count() == 1


def test_a_used_key_for_another_deposit_is_refused() -> None:
    buyer, actor = OrganizationFactory.create(), caller(operator())
    deposit(buyer.pk, amount_micros=500, reason="wire 17", actor=actor, key="17")
    with pytest.raises(DepositDiffers):
        deposit(buyer.pk, amount_micros=501, reason="wire 17", actor=actor, key="17")
    assert money_of(buyer).available_micros == 500


def test_a_buyer_cannot_credit_itself() -> None:
    buyer = OrganizationFactory.create()
    with pytest.raises(NotAnOperator):
        deposit(buyer.pk, amount_micros=500, reason="please", actor=caller(buyer), key="17")
    assert not Transfer.objects.exists()


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX_MICROS + 1])
def test_an_amount_out_of_range_is_refused(amount: int) -> None:
    buyer = OrganizationFactory.create()
    with pytest.raises(DepositOutOfRange):
        deposit(buyer.pk, amount_micros=amount, reason="x", actor=caller(operator()), key="17")


def test_a_deposit_without_a_reason_is_refused() -> None:
    buyer = OrganizationFactory.create()
    with pytest.raises(ReasonMissing):
        deposit(buyer.pk, amount_micros=1, reason=" ", actor=caller(operator()), key="17")
