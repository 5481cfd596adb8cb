"""What stands on a statement: a draft's lines as of now, a finalized one's as they were written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from exchange.foundation.money import MICROS, format_scaled
from settlement.models import LineKind, Side, Statement, StatementLine, StatementState
from settlement.postings import MS_PER_HOUR
from settlement.queries.allocation import allocate, round_half_even

# What each run of a period changed, for one organization on one side, in the statement's time.
CHANGES = """
WITH run AS (
    SELECT run.period_id, run.run_no, run.ran_at,
           delivered_ms - coalesce(lag(delivered_ms) OVER later, 0) AS added_ms,
           buyer_due_micros - coalesce(lag(buyer_due_micros) OVER later, 0) AS usage,
           buyer_fee_micros - coalesce(lag(buyer_fee_micros) OVER later, 0) AS buyer_fee,
           seller_due_micros - coalesce(lag(seller_due_micros) OVER later, 0) AS earning,
           seller_fee_micros - coalesce(lag(seller_fee_micros) OVER later, 0) AS seller_fee,
           penalty_micros - coalesce(lag(penalty_micros) OVER later, 0) AS penalty
    FROM settlement_settlementrun AS run
    JOIN settlement_deliveryperiod AS period ON period.id = run.period_id
    JOIN settlement_contract AS contract ON contract.id = period.contract_id
    WHERE CASE %(side)s WHEN 'buyer' THEN contract.buyer_id ELSE contract.provider_id END
          = %(organization)s AND contract.currency = %(currency)s
    WINDOW later AS (PARTITION BY run.period_id ORDER BY run.run_no)
)
SELECT line.kind, run.period_id, run.run_no,
       CASE WHEN line.kind IN ('usage', 'earning') THEN run.added_ms ELSE 0 END, line.micros,
       contract.public_id, contract.site_code, contract.accelerator_code,
       period.starts_at, period.ends_at,
       CASE %(side)s WHEN 'buyer' THEN period.buyer_price ELSE period.seller_price END
FROM run
JOIN settlement_deliveryperiod AS period ON period.id = run.period_id
JOIN settlement_contract AS contract ON contract.id = period.contract_id
CROSS JOIN LATERAL (VALUES
    (1, 'buyer', 'usage', run.usage), (2, 'buyer', 'buyer_fee', run.buyer_fee),
    (3, 'buyer', 'credit', -run.penalty),
    (1, 'provider', 'earning', run.earning), (2, 'provider', 'seller_fee', -run.seller_fee),
    (3, 'provider', 'penalty', -run.penalty)) AS line (place, side, kind, micros)
WHERE line.side = %(side)s AND line.micros <> 0
  AND run.ran_at >= %(starts_at)s AND run.ran_at < %(ends_at)s
ORDER BY period.starts_at, contract.public_id, run.run_no, line.place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it is shown; ``billed_minor`` are the minor units that the total gives it."""

    line_no: int
    kind: LineKind
    period_id: int
    run_no: int
    delivered_ms: int
    exact_micros: int
    billed_minor: int
    contract: str
    site: str
    accelerator: str
    starts_at: datetime
    ends_at: datetime
    price: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A statement's lines with what they come to, exactly and in minor units."""

    lines: list[Line]
    exact_micros: int
    total_minor: int


def sheet_of(statement: Statement) -> Sheet:
    """Return the statement's lines and totals."""
    if statement.state == StatementState.DRAFT:
        return compute_sheet(statement)
    lines = list(_written(statement))
    return Sheet(lines, statement.exact_micros or 0, statement.total_minor or 0)


def compute_sheet(statement: Statement) -> Sheet:
    """Return what the runs of the statement's time say, its total rounded once."""
    given: dict[str, Any] = {
        "side": statement.side,
        "organization": statement.organization_id,
        "currency": statement.currency,
        "starts_at": statement.starts_at,
        "ends_at": statement.ends_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, given)
        rows = cursor.fetchall()
    exact = [row[4] for row in rows]
    unit: int = 10 ** (6 - statement.minor_digits)
    billed = allocate(exact, unit=unit)
    lines = [
        _computed(line_no, row, minor)
        for line_no, (row, minor) in enumerate(zip(rows, billed, strict=True), start=1)
    ]
    return Sheet(lines, sum(exact), round_half_even(sum(exact), unit))


def _computed(line_no: int, row: tuple[Any, ...], billed_minor: int) -> Line:
    kind, period_id, run_no, delivered_ms, micros, contract, site, chip, starts, ends, price = row
    return Line(
        line_no=line_no,
        kind=LineKind(kind),
        period_id=period_id,
        run_no=run_no,
        delivered_ms=delivered_ms,
        exact_micros=micros,
        billed_minor=billed_minor,
        contract=contract,
        site=site,
        accelerator=chip,
        starts_at=starts,
        ends_at=ends,
        price=_plain(price),
    )


def _written(statement: Statement) -> Iterator[Line]:
    rows = StatementLine.objects.filter(statement=statement).select_related("period__contract")
    for row in rows.order_by("line_no"):
        period, contract = row.period, row.period.contract
        is_buyer = statement.side == Side.BUYER
        yield Line(
            line_no=row.line_no,
            kind=LineKind(row.kind),
            period_id=row.period_id,
            run_no=row.run_no,
            delivered_ms=row.delivered_ms,
            exact_micros=row.exact_micros,
            billed_minor=row.billed_minor,
            contract=contract.public_id,
            site=contract.site_code,
            accelerator=contract.accelerator_code,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            price=_plain(period.buyer_price if is_buyer else period.seller_price),
        )


def hours_of(accelerator_ms: int) -> str:
    """Return accelerator-milliseconds as accelerator-hours, rounded half-even to six decimals."""
    return format_scaled(round_half_even(accelerator_ms * MICROS, MS_PER_HOUR), scale=MICROS)


def _plain(price: Decimal) -> str:
    text = f"{price:f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(3, '0')}"
