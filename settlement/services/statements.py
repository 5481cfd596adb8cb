"""Statements: drafts that follow the runs of a month, finalized once it is over."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from exchange.foundation.states import move
from settlement.models import STATEMENT_MOVES, Statement, StatementLine, StatementState
from settlement.queries.statements import Line, compute_sheet

SERIES_LOCK = 0x73746174656D  # "statem"; advisory, with the series' hash
LINES_AT_ONCE = 5_000


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
    """Write the lines, the total and the next number of the series, at once.

    Raises MonthNotOver, IllegalMove if it was finalized before.
    """
    if now < statement.ends_at:
        raise MonthNotOver(statement.public_id)
    with transaction.atomic():
        number = _next_number(statement.series)
        sheet = compute_sheet(statement)
        move(
            statement,
            to=StatementState.FINALIZED,
            moves=STATEMENT_MOVES,
            number=number,
            exact_micros=sheet.exact_micros,
            total_minor=sheet.total_minor,
            finalized_at=now,
        )
        StatementLine.objects.bulk_create(
            [_row(statement, line) for line in sheet.lines], batch_size=LINES_AT_ONCE
        )


def _finalize_if_draft(statement_id: int, *, now: datetime) -> bool:
    """Finalize one draft unless somebody else is at it or was."""
    with transaction.atomic():
        rows = Statement.objects.select_for_update(skip_locked=True, no_key=True)
        statement = rows.filter(pk=statement_id, state=StatementState.DRAFT).first()
        if statement is not None:
            finalize_statement(statement, now=now)
    return statement is not None


def _next_number(series: str) -> int:
    """Return the next number; the lock until commit keeps a rolled-back one from being a gap."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [SERIES_LOCK & 0x7FFFFFFF, series]
        )
    highest = Statement.objects.filter(series=series).aggregate(Max("number"))["number__max"]
    return (highest or 0) + 1


def _row(statement: Statement, line: Line) -> StatementLine:
    return StatementLine(
        statement=statement,
        line_no=line.line_no,
        kind=line.kind,
        period_id=line.period_id,
        run_no=line.run_no,
        delivered_ms=line.delivered_ms,
        exact_micros=line.exact_micros,
        billed_minor=line.billed_minor,
    )
