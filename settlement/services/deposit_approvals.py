"""Deposits by four eyes: one operator enters what the bank says, another approves and posts it."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now
from exchange.foundation.states import move
from settlement.models import DEPOSIT_MOVES, Deposit, DepositState, TransferCode
from settlement.services.deposits import (
    AMOUNT_MAX_MICROS,
    DepositDiffers,
    DepositOutOfRange,
    NotAnOperator,
    deposit,
)
from settlement.services.four_eyes import person_behind, refuse_same_person
from settlement.services.ledger import NewTransfer, post_batch
from settlement.services.posting_rows import transfer_id


def enter_deposit(
    organization_id: int, *, amount_micros: int, reference: str, reason: str, actor: Caller
) -> Deposit:
    """Write down money that came in; the same reference and amount again change nothing.

    Nothing is credited until another operator approves it. Raises NotAnOperator,
    DepositOutOfRange, ReasonMissing, and DepositDiffers if the reference was used otherwise.
    """
    refuse_non_operator(actor)
    if not 0 < amount_micros <= AMOUNT_MAX_MICROS:
        raise DepositOutOfRange(f"{amount_micros} micro-units: from 1 to {AMOUNT_MAX_MICROS}")
    refuse_without_reason(reason, "a deposit")
    try:
        with transaction.atomic():
            entered = Deposit.objects.create(
                organization_id=organization_id,
                amount_micros=amount_micros,
                currency=settings.MARKET_CURRENCY,
                reference=reference,
                reason=reason,
                entered_by_id=person_behind(actor),
                entered_at=market_now(),
                actor=actor.signature,
            )
            record(actor, "enter", entered, reason)
    except IntegrityError:
        entered = Deposit.objects.get(reference=reference)
        if (entered.organization_id, entered.amount_micros) != (organization_id, amount_micros):
            raise DepositDiffers(f"{reference} was entered with other content") from None
    return entered


def approve_deposit(entered: Deposit, *, reason: str, actor: Caller) -> None:
    """Credit the organization. Raises NotAnOperator, OwnRequest, IllegalMove, LostRace."""
    refuse_non_operator(actor)
    person = refuse_same_person(entered.entered_by_id, actor)
    with transaction.atomic():
        posted = deposit(
            entered.organization_id,
            amount_micros=entered.amount_micros,
            reason=reason,
            actor=actor,
            key=entered.public_id,
        )
        _decide(entered, DepositState.POSTED, person, reason=reason, actor=actor, transfer=posted)


def refuse_deposit(entered: Deposit, *, reason: str, actor: Caller) -> None:
    """End a deposit that was never posted. Raises NotAnOperator, ReasonMissing, IllegalMove."""
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to refuse a deposit")
    with transaction.atomic():
        _decide(entered, DepositState.REFUSED, person_behind(actor), reason=reason, actor=actor)


def reverse_deposit(posted: Deposit, *, reason: str, actor: Caller) -> None:
    """Undo a posted deposit that was a mistake, by a transfer that names it.

    Raises NotAnOperator, ReasonMissing, OwnRequest for who entered it, IllegalMove, LostRace,
    InsufficientFunds if the money is spent or held.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to reverse a deposit")
    person = refuse_same_person(posted.entered_by_id, actor)
    with transaction.atomic():
        _decide(posted, DepositState.REVERSED, person, reason=reason, actor=actor)
        first = posted.transfer
        assert first is not None, "a posted deposit has its transfer"
        key = f"deposit/{posted.public_id}/reversed"
        post_batch(
            [
                NewTransfer(
                    key=key,
                    debit_id=first.credit_id,
                    credit_id=first.debit_id,
                    amount_micros=first.amount_micros,
                    code=TransferCode.REVERSAL,
                    event_at=market_now(),
                    reverses_id=transfer_id(f"deposit/{posted.public_id}"),
                )
            ],
            key=key,
        )


def refuse_non_operator(actor: Caller) -> None:
    """Raise NotAnOperator unless an operator acts."""
    if not actor.operates:
        raise NotAnOperator("only an operator of the market does this")


def refuse_without_reason(reason: str, what: str) -> None:
    """Raise ReasonMissing for a reason that says nothing."""
    if not reason.strip():
        raise ReasonMissing(f"{what} needs a reason")


def _decide(
    row: Deposit,
    to: DepositState,
    person: int | None,
    *,
    reason: str,
    actor: Caller,
    **changes: Any,
) -> None:
    move(
        row,
        to=to,
        moves=DEPOSIT_MOVES,
        decided_by_id=person,
        decided_at=market_now(),
        decision=reason[:200],
        actor=actor.signature,
        **changes,
    )
    record(actor, to.value, row, reason)
