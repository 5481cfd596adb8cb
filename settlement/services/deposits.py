"""Money from the bank, entered by an operator with a reason."""

from datetime import datetime

from django.db import transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now
from settlement.models import AccountKind, Transfer, TransferCode
from settlement.services.announcing import tell_deposit
from settlement.services.ledger import (
    NewTransfer,
    TransferDiffers,
    accounts_of,
    house_account,
    post_batch,
)
from settlement.services.posting_rows import transfer_id

AMOUNT_MAX_MICROS = 10**15  # a thousand million of the currency at a time


class NotAnOperator(Exception):
    """Only the market's operator may enter a deposit."""


class DepositDiffers(Exception):
    """This key was used for another deposit."""


class DepositOutOfRange(Exception):
    """A deposit is of a positive amount, up to a limit."""


def deposit(
    organization_id: int, *, amount_micros: int, reason: str, actor: Caller, key: str
) -> Transfer:
    """Credit an organization's money from the bank; the same ``key`` again changes nothing.

    Raises NotAnOperator, DepositOutOfRange, ReasonMissing, and DepositDiffers if the key was
    used for another deposit.
    """
    if not actor.operates:
        raise NotAnOperator("only an operator enters deposits")
    if not 0 < amount_micros <= AMOUNT_MAX_MICROS:
        raise DepositOutOfRange(f"{amount_micros} micro-units: from 1 to {AMOUNT_MAX_MICROS}")
    if not reason.strip():
        raise ReasonMissing("a deposit needs a reason")
    name = f"deposit/{key}"
    with transaction.atomic():
        is_new = _post_once(name, organization_id, amount_micros)
        transfer = Transfer.objects.get(pk=transfer_id(name))
        if is_new:
            record(actor, "deposit", transfer, reason)
            tell_deposit(transfer, organization_id=organization_id)
    return transfer


def _post_once(name: str, organization_id: int, amount_micros: int) -> bool:
    """Return whether the deposit is new. A repeat comes later than the first, the same all else."""
    try:
        return _post(name, organization_id, amount_micros, at=market_now())
    except TransferDiffers:
        first = Transfer.objects.get(pk=transfer_id(name))
    try:
        return _post(name, organization_id, amount_micros, at=first.event_at)
    except TransferDiffers as error:
        raise DepositDiffers(f"{name} was entered with other content") from error


def _post(name: str, organization_id: int, amount_micros: int, *, at: datetime) -> bool:
    new = NewTransfer(
        key=name,
        debit_id=house_account(AccountKind.EXTERNAL),
        credit_id=accounts_of(AccountKind.AVAILABLE, [organization_id])[organization_id],
        amount_micros=amount_micros,
        code=TransferCode.DEPOSIT,
        event_at=at,
    )
    return post_batch([new], key=name).inserted == 1
