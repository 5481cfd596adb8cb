"""Statements: drafts that follow the runs of a month, finalized once it is over."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Model

from exchange.foundation.states import move
from settlement.models import (
    STATEMENT_MOVES,
    Statement,
    StatementState,
    StatementTax,
)
from settlement.queries.statement_lines import DRAFTED, given_of
from settlement.queries.statements import Totals, totals_of_lines
from settlement.queries.taxes import Tax
from settlement.services.announcing import tell_statement

SERIES_LOCK = 0x73746174656D  # "statem"; advisory, with the series' hash
WRITE = f"""
INSERT INTO settlement_statementline (statement_id, line_no, kind, period_id, run_no, delivered_ms,
    energy_wh, co2_grams, exact_micros, billed_minor)
{DRAFTED} SELECT %(statement)s, line_no, kind, period_id, run_no, delivered_ms, energy_wh,
    co2_grams, exact_micros, billed_minor
FROM billed ORDER BY line_no
"""  # noqa: S608


class MonthNotOver(Exception):
    """A statement is finalized when its month is over, and what happened in it is known."""


def finalize_due(now: datetime) -> int:
    """Finalize every draft whose month is over at ``now``; return how many."""
    due = Statement.objects.filter(state=StatementState.DRAFT, ends_at__lte=now)
    finalized = 0
    for statement_id in due.order_by("series", "id").values_list("pk", flat=True):
        finalized += _finalize_if_draft(statement_id, now=now)
    return finalized


def finalize_statement(statement: Statement, *, now: datetime) -> None:
    """Write the lines, the taxes, the total and the next number of the series, at once.

    Raises MonthNotOver, IllegalMove if it was finalized before.
    """
    if now < statement.ends_at:
        raise MonthNotOver(statement.public_id)
    with transaction.atomic():
        totals = _write_lines(statement) if statement.state == StatementState.DRAFT else None
        move(
            statement,
            to=StatementState.FINALIZED,
            moves=STATEMENT_MOVES,
            **({} if totals is None else _facts(statement, totals)),
            number=next_number(Statement, statement.series),
            finalized_at=now,
        )
        tell_statement(statement, now=now)


def next_number(model: type[Model], series: str) -> int:
    """Return the next number; the lock until commit keeps a rolled-back one from being a gap."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [SERIES_LOCK & 0x7FFFFFFF, series]
        )
    rows = model._default_manager.filter(series=series)
    highest = rows.aggregate(Max("number"))["number__max"]
    return (highest or 0) + 1


def _finalize_if_draft(statement_id: int, *, now: datetime) -> bool:
    """Finalize one draft unless somebody else is at it or was."""
    with transaction.atomic():
        rows = Statement.objects.select_for_update(skip_locked=True, no_key=True)
        statement = rows.filter(pk=statement_id, state=StatementState.DRAFT).first()
        if statement is not None:
            finalize_statement(statement, now=now)
    return statement is not None


def _write_lines(statement: Statement) -> Totals:
    """Write the lines as one set, and the taxes in them; return what they come to."""
    with connection.cursor() as cursor:
        cursor.execute(WRITE, given_of(statement))
    totals = totals_of_lines(statement)
    StatementTax.objects.bulk_create(_tax_rows(statement, totals.taxes))
    return totals


def _facts(statement: Statement, totals: Totals) -> dict[str, Any]:
    """Return the totals, and who the parties are at this moment."""
    party = statement.organization
    return {
        "exact_micros": totals.exact_micros,
        "total_minor": totals.total_minor,
        "lines_count": totals.lines_count,
        "energy_wh": totals.energy_wh,
        "co2_grams": totals.co2_grams,
        "party_name": party.legal_name or party.name,
        "party_country": party.tax_country,
        "issuer_name": settings.MARKET_NAME,
    }


def _tax_rows(statement: Statement, taxes: Iterable[Tax]) -> list[StatementTax]:
    return [
        StatementTax(
            statement=statement,
            line_no=line_no,
            supply=tax.supply,
            supplier_country=tax.supplier_country,
            customer_country=tax.customer_country,
            rate=tax.rate,
            gross_minor=tax.gross_minor,
            net_minor=tax.net_minor,
            tax_minor=tax.tax_minor,
        )
        for line_no, tax in enumerate(taxes, start=1)
    ]
