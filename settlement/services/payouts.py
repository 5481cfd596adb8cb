"""Payouts: asked for by an organization, submitted by an operator, confirmed by the bank or undone.

Every step is posted in the database transaction of its move: what was asked for leaves the
organization's account at once, so that it cannot be spent twice while the bank takes its time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from exchange.foundation.states import IllegalMove, move
from settlement.models import (
    PAYOUT_MOVES,
    AccountKind,
    LedgerAccount,
    Payout,
    PayoutState,
    Transfer,
    TransferCode,
)
from settlement.services.announcing import tell_payout
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason
from settlement.services.four_eyes import person_behind, refuse_same_person
from settlement.services.holds import InsufficientFunds
from settlement.services.ledger import NewTransfer, accounts_of, house_account, post_batch
from settlement.services.posting_rows import transfer_id

MINOR_MICROS: Final = 10_000  # a payout is in whole minor units, such as fen
AMOUNT_MAX_MICROS: Final = 10**15
CANCELLED: Final = "cancelled"
REFUSED: Final = "refused"
BANK_REFUSED: Final = "bank_refused"
BANK_RETURNED: Final = "bank_returned"
STEPS = ("asked", "sent", "paid")


class PayoutOutOfRange(Exception):
    """A payout is of whole minor units of the currency, more than nothing and up to a limit."""


class PayoutNotFound(Exception):
    """There is no such payout, or it is not the caller's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankAccount:
    """Where the money is to go."""

    holder: str
    bank: str
    account: str


def ask_payout(
    *, amount_micros: int, source: AccountKind, to: BankAccount, caller: Caller
) -> Payout:
    """Set an organization's money aside to be paid out; it can no longer be spent.

    ``source`` is its money to spend or what it is owed; credit is never paid out. Raises
    PayoutOutOfRange, InsufficientFunds.
    """
    if not 0 < amount_micros <= AMOUNT_MAX_MICROS or amount_micros % MINOR_MICROS:
        raise PayoutOutOfRange(f"{amount_micros} micro-units: whole minor units, up to a limit")
    owner, now = caller.organization_id, market_now()
    with transaction.atomic():
        payout = Payout(
            organization_id=owner,
            source=source,
            amount_micros=amount_micros,
            currency=settings.MARKET_CURRENCY,
            holder=to.holder,
            bank=to.bank,
            account=to.account,
            actor=caller.signature,
            asked_by_id=person_behind(caller),
            created_at=now,
        )
        debit = accounts_of(source, [owner])[owner]
        payout.asked_id = _post(
            payout, "asked", debit_id=debit, credit_id=_withdrawing(payout), now=now
        )
        _refuse_uncovered(debit)
        payout.save(force_insert=True)
        record(caller, "ask", payout)
        tell_payout(payout, now=now)
    return payout


def cancel_payout(public_id: str, *, caller: Caller) -> Payout:
    """Take back a payout that was not submitted. Raises PayoutNotFound, IllegalMove, LostRace."""
    own = Payout.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    payout = own.filter(public_id=public_id).first()
    if payout is None:
        raise PayoutNotFound(f"there is no payout {public_id}")
    if payout.state != PayoutState.CREATED:
        raise IllegalMove(f"payout {public_id} is {payout.state}")
    _undo(payout, PayoutState.FAILED, code=CANCELLED, detail="", actor=caller)
    return payout


def submit_payout(payout: Payout, *, reason: str, actor: Caller) -> None:
    """Approve a payout and hand it to the bank; ``reason`` may name the bank's order.

    Raises NotAnOperator, OwnRequest for who asked for it, IllegalMove, LostRace.
    """
    refuse_non_operator(actor)
    person, now = refuse_same_person(payout.asked_by_id, actor), market_now()
    with transaction.atomic():
        changes = {"submitted_at": now, "submitted_by_id": person}
        _step(payout, PayoutState.SUBMITTED, actor, reason=reason, changes=changes)
        transit = house_account(AccountKind.IN_TRANSIT)
        _keep(
            payout,
            sent=_post(payout, "sent", debit_id=_withdrawing(payout), credit_id=transit, now=now),
        )


def confirm_payout(payout: Payout, *, reason: str, actor: Caller) -> None:
    """Write down that the bank has paid. Raises NotAnOperator, IllegalMove, LostRace."""
    refuse_non_operator(actor)
    now = market_now()
    with transaction.atomic():
        _step(payout, PayoutState.CONFIRMED, actor, reason=reason, changes={"confirmed_at": now})
        transit, bank = house_account(AccountKind.IN_TRANSIT), house_account(AccountKind.EXTERNAL)
        _keep(payout, paid=_post(payout, "paid", debit_id=transit, credit_id=bank, now=now))


def fail_payout(payout: Payout, *, reason: str, actor: Caller) -> None:
    """Undo a payout that is refused here (before it is submitted) or by the bank (after).

    Raises NotAnOperator, ReasonMissing, IllegalMove, LostRace.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to fail a payout")
    code = REFUSED if payout.state == PayoutState.CREATED else BANK_REFUSED
    _undo(payout, PayoutState.FAILED, code=code, detail=reason, actor=actor)


def return_payout(payout: Payout, *, reason: str, actor: Caller) -> None:
    """Undo a payout that came back from the bank. Raises as fail_payout does."""
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to return a payout")
    _undo(payout, PayoutState.RETURNED, code=BANK_RETURNED, detail=reason, actor=actor)


def _step(
    payout: Payout, to: PayoutState, actor: Caller, *, reason: str, changes: dict[str, Any]
) -> None:
    move(payout, to=to, moves=PAYOUT_MOVES, actor=actor.signature, **changes)
    record(actor, to.value, payout, reason)
    tell_payout(payout, now=market_now())


def _undo(payout: Payout, to: PayoutState, *, code: str, detail: str, actor: Caller) -> None:
    """Reverse every transfer of the payout, each by one that names it."""
    now = market_now()
    with transaction.atomic():
        ending = {"reason_code": code, "reason_detail": detail[:200], "ended_at": now}
        _step(payout, to, actor, reason=detail, changes=ending)
        posted = [each for each in STEPS if getattr(payout, f"{each}_id") is not None]
        firsts = Transfer.objects.in_bulk([getattr(payout, f"{each}_id") for each in posted])
        post_batch(
            [
                _reversal(payout, each, firsts[getattr(payout, f"{each}_id")], now)
                for each in posted
            ],
            key=f"payout/{payout.public_id}/{to}",
        )


def _reversal(payout: Payout, step: str, first: Transfer, now: datetime) -> NewTransfer:
    return NewTransfer(
        key=f"payout/{payout.public_id}/{step}/reversed",
        debit_id=first.credit_id,
        credit_id=first.debit_id,
        amount_micros=first.amount_micros,
        code=TransferCode.REVERSAL,
        event_at=now,
        reverses_id=first.pk,
    )


def _post(payout: Payout, step: str, *, debit_id: int, credit_id: int, now: datetime) -> UUID:
    key = f"payout/{payout.public_id}/{step}"
    new = NewTransfer(
        key=key,
        debit_id=debit_id,
        credit_id=credit_id,
        amount_micros=payout.amount_micros,
        code=TransferCode.WITHDRAWAL,
        event_at=now,
    )
    post_batch([new], key=key)
    return transfer_id(key)


def _keep(payout: Payout, **steps: Any) -> None:
    changes = {f"{step}_id": transfer for step, transfer in steps.items()}
    Payout.objects.filter(pk=payout.pk).update(**changes)
    for name, value in changes.items():
        setattr(payout, name, value)


def _withdrawing(payout: Payout) -> int:
    owner = payout.organization_id
    return accounts_of(AccountKind.WITHDRAWING, [owner])[owner]


def _refuse_uncovered(account_id: int) -> None:
    """Refuse what was just posted if it left less than nothing; the posting holds the lock."""
    account = LedgerAccount.objects.get(pk=account_id)
    if account.balance_micros < account.debits_pending:
        raise InsufficientFunds("there is not that much to be paid out")
