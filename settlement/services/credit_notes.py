"""Correcting a finalized statement: a credit note takes it back, a new revision replaces it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now
from settlement.models import CreditNote, Statement, StatementState
from settlement.services.deposits import NotAnOperator
from settlement.services.statements import finalize_statement, next_number


class StatementNotFinal(Exception):
    """Only a finalized statement is taken back; a draft follows the books by itself."""


class AlreadyCredited(Exception):
    """A statement is taken back once; its replacement may be taken back in turn."""


def credit_statement(statement: Statement, reason: str, actor: Caller) -> CreditNote:
    """Take back a finalized statement and issue its replacement, each with its own number.

    The lines of the replacement are the same, since they are what was posted; the parties and
    the taxes are those of today. Raises NotAnOperator, ReasonMissing, StatementNotFinal,
    AlreadyCredited.
    """
    if not actor.operates:
        raise NotAnOperator("only an operator issues credit notes")
    if not reason.strip():
        raise ReasonMissing("a credit note needs a reason")
    with transaction.atomic():
        locked = Statement.objects.select_for_update(no_key=True).get(pk=statement.pk)
        if locked.state != StatementState.FINALIZED:
            raise StatementNotFinal(f"{locked.public_id} is a draft")
        if CreditNote.objects.filter(statement=locked).exists():
            raise AlreadyCredited(f"{locked.name} was taken back before")
        now = market_now()
        note = _issue(locked, reason.strip(), now)
        record(actor, "credit", locked, reason)
        finalize_statement(_replacement(locked, now), now=now)
    return note


def _issue(statement: Statement, reason: str, now: datetime) -> CreditNote:
    """Write the note. Its series is that of the statement's side, in the year of the note."""
    series = f"C{statement.series[0]}{_year(now)}"
    assert statement.exact_micros is not None
    assert statement.total_minor is not None
    return CreditNote.objects.create(
        statement=statement,
        series=series,
        number=next_number(CreditNote, series),
        reason=reason,
        exact_micros=-statement.exact_micros,
        total_minor=-statement.total_minor,
        issued_at=now,
    )


def _replacement(statement: Statement, now: datetime) -> Statement:
    return Statement.objects.create(
        organization_id=statement.organization_id,
        side=statement.side,
        currency=statement.currency,
        starts_at=statement.starts_at,
        ends_at=statement.ends_at,
        minor_digits=statement.minor_digits,
        series=f"{statement.series[0]}{_year(now)}",
        revision=statement.revision + 1,
        replaces=statement,
    )


def _year(now: datetime) -> int:
    return now.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)).year
