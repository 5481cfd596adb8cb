"""Credit: what the operator lets an organization spend beyond what it has."""

from django.db import IntegrityError, transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from settlement.models import AccountKind, CreditLine, LedgerAccount
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason
from settlement.services.deposits import AMOUNT_MAX_MICROS
from settlement.services.four_eyes import person_behind
from settlement.services.ledger_accounts import accounts_of


class CreditInUse(Exception):
    """The organization has spent or bid more than the lower credit would leave it."""


class CreditOutOfRange(Exception):
    """A credit line is nothing or more, up to a limit."""


def set_credit_line(
    organization_id: int, *, amount_micros: int, reason: str, actor: Caller
) -> CreditLine:
    """Let an organization spend so much beyond its money from now on; zero ends its credit.

    Raises NotAnOperator, ReasonMissing, CreditOutOfRange, CreditInUse.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "a credit line")
    if not 0 <= amount_micros <= AMOUNT_MAX_MICROS:
        raise CreditOutOfRange(f"{amount_micros} micro-units: from 0 to {AMOUNT_MAX_MICROS}")
    account_id = accounts_of(AccountKind.AVAILABLE, [organization_id])[organization_id]
    try:
        with transaction.atomic():
            # The account's lock first: of two settings at once the later row is the one in force.
            LedgerAccount.objects.filter(pk=account_id).update(credit_micros=amount_micros)
            line = CreditLine.objects.create(
                organization_id=organization_id,
                amount_micros=amount_micros,
                reason=reason[:200],
                set_by_id=person_behind(actor),
                actor=actor.signature,
                set_at=market_now(),
            )
            record(actor, "set_credit", line, reason)
    except IntegrityError as error:
        raise CreditInUse("more than that is spent or held already") from error
    return line
