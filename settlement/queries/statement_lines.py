"""The lines of a statement as SQL: numbered, and the rounded total allocated to them.

A draft's follow from the runs of its month, a finalized one's stand in their table; both come in
the same columns, a page at a time. The database rounds as ``settlement.queries.allocation`` does:
the total half-even once, its minor units to the lines by largest remainder, earlier lines first.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from settlement.models import LineKind, Statement, StatementState
from settlement.postings import GRID_GRAMS_PER_MWH

AT_ONCE = 2_000

# What each run of the statement's time changed, for one organization on one side.
NUMBERED = """
run AS (
    SELECT contract.id AS contract_id, run.id, run.period_id, run.run_no,
           run.delivered_ms - coalesce(before.delivered_ms, 0) AS delivered_ms,
           run.energy_wh - coalesce(before.energy_wh, 0) AS energy_wh,
           run.co2_grams - coalesce(before.co2_grams, 0) AS co2_grams,
           run.buyer_due_micros - coalesce(before.buyer_due_micros, 0) AS buyer_due,
           run.buyer_fee_micros - coalesce(before.buyer_fee_micros, 0) AS buyer_fee,
           run.seller_due_micros - coalesce(before.seller_due_micros, 0) AS seller_due,
           run.seller_fee_micros - coalesce(before.seller_fee_micros, 0) AS seller_fee,
           run.penalty_micros - coalesce(before.penalty_micros, 0) AS penalty
    FROM settlement_contract AS contract
    JOIN settlement_deliveryperiod AS period ON period.contract_id = contract.id
    JOIN settlement_settlementrun AS run ON run.period_id = period.id
    LEFT JOIN settlement_settlementrun AS before
        ON before.period_id = run.period_id AND before.run_no = run.run_no - 1
    WHERE (%(side)s = 'buyer' AND contract.buyer_id = %(organization)s
           OR %(side)s = 'provider' AND contract.provider_id = %(organization)s)
      AND contract.currency = %(currency)s
      AND run.ran_at >= %(starts_at)s AND run.ran_at < %(ends_at)s
), line AS (
    SELECT row_number() OVER (
               ORDER BY period.starts_at, contract.public_id, run.run_no, said.place) AS line_no,
           said.kind, run.period_id, run.run_no, said.micros,
           CASE WHEN said.place = 1 THEN run.delivered_ms ELSE 0 END AS delivered_ms,
           CASE WHEN said.place = 1 THEN run.energy_wh ELSE 0 END AS energy_wh,
           CASE WHEN said.place = 1 THEN run.co2_grams ELSE 0 END AS co2_grams
    FROM run
    JOIN settlement_deliveryperiod AS period ON period.id = run.period_id
    JOIN settlement_contract AS contract ON contract.id = run.contract_id
    CROSS JOIN LATERAL (VALUES
        (1, 'buyer', 'usage', run.buyer_due), (2, 'buyer', 'buyer_fee', run.buyer_fee),
        (3, 'buyer', 'credit', -run.penalty),
        (1, 'provider', 'earning', run.seller_due), (2, 'provider', 'seller_fee', -run.seller_fee),
        (3, 'provider', 'penalty', -run.penalty)) AS said (place, side, kind, micros)
    WHERE said.side = %(side)s
      AND (said.micros <> 0 OR said.place = 1 AND run.energy_wh <> 0)
), parted AS (
    SELECT line.*, mod(mod(micros, %(unit)s) + %(unit)s, %(unit)s) AS rest FROM line
), total AS (
    SELECT coalesce(sum(micros), 0)::bigint AS micros,
           coalesce(sum((micros - rest) / %(unit)s), 0)::bigint AS whole,
           mod(mod(coalesce(sum(micros), 0)::bigint, %(unit)s) + %(unit)s, %(unit)s) AS rest
    FROM parted
), rounded AS (
    SELECT total.micros, total.whole, (total.micros - total.rest) / %(unit)s + CASE
        WHEN 2 * rest > %(unit)s THEN 1
        WHEN 2 * rest = %(unit)s THEN mod(abs((total.micros - total.rest) / %(unit)s), 2)
        ELSE 0 END AS minor FROM total
), billed AS (
    SELECT parted.line_no, parted.kind, parted.period_id, parted.run_no, parted.delivered_ms,
           parted.energy_wh, parted.co2_grams, parted.micros AS exact_micros,
           (parted.micros - parted.rest) / %(unit)s
               + (row_number() OVER (ORDER BY parted.rest DESC, parted.line_no)
                  <= rounded.minor - rounded.whole)::int AS billed_minor
    FROM parted CROSS JOIN rounded
)
"""
DRAFTED = f"WITH {NUMBERED} "
WRITTEN = """
WITH billed AS (
    SELECT line_no, kind, period_id, run_no, delivered_ms, energy_wh, co2_grams, exact_micros,
           billed_minor
    FROM settlement_statementline WHERE statement_id = %(statement)s
)
"""
SHOWN = """
SELECT line.line_no, line.kind, line.period_id, line.run_no, line.delivered_ms, line.energy_wh,
       line.co2_grams, line.exact_micros, line.billed_minor,
       contract.public_id, contract.auction_id, contract.site_code, contract.region_code,
       contract.accelerator_code, contract.accelerator_kind, provider.name, period.starts_at,
       period.ends_at,
       CASE %(side)s WHEN 'buyer' THEN period.buyer_price ELSE period.seller_price END,
       run.energy_mj IS NOT NULL, contract.renewable_micros,
       grid.grams_per_mwh, grid.year, grid.source
FROM (SELECT * FROM billed WHERE line_no > %(after)s ORDER BY line_no LIMIT %(limit)s) AS line
JOIN settlement_deliveryperiod AS period ON period.id = line.period_id
JOIN settlement_contract AS contract ON contract.id = period.contract_id
JOIN accounts_organization AS provider ON provider.id = contract.provider_id
JOIN settlement_settlementrun AS run
    ON run.period_id = line.period_id AND run.run_no = line.run_no
LEFT JOIN settlement_gridfactor AS grid ON grid.id = run.grid_factor_id
ORDER BY line.line_no
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is shown; ``billed_minor`` are the minor units that the total gives it.

    ``price`` is the exact price per accelerator-hour that the amount follows from. Energy and
    CO2 stand on the lines about delivered hours, PUE included; ``is_metered`` says whether they
    follow from a meter's energy counter or from the chip's nominal watts.
    """

    line_no: int
    kind: LineKind
    period_id: int
    run_no: int
    delivered_ms: int
    energy_wh: int
    co2_grams: int
    exact_micros: int
    billed_minor: int
    contract: str
    auction: str
    site: str
    region: str
    accelerator: str
    accelerator_kind: str
    provider: str
    starts_at: datetime
    ends_at: datetime
    exact_price: Decimal
    is_metered: bool
    renewable_micros: int
    grid_grams: int | None
    grid_year: int | None
    grid_source: str | None

    @property
    def price(self) -> str:
        """The price as text, without zeros that say nothing; at least three decimals."""
        whole, _, decimals = f"{self.exact_price:f}".partition(".")
        return f"{whole}.{decimals.rstrip('0').ljust(3, '0')}"

    @property
    def kg_per_kwh_micros(self) -> int:
        """CO2 of the grid that was reckoned with, in millionths of a kilogram a kWh."""
        return GRID_GRAMS_PER_MWH if self.grid_grams is None else self.grid_grams


def given_of(statement: Statement) -> dict[str, Any]:
    """Return what the queries here ask for."""
    return {
        "statement": statement.pk,
        "side": statement.side,
        "organization": statement.organization_id,
        "currency": statement.currency,
        "starts_at": statement.starts_at,
        "ends_at": statement.ends_at,
        "unit": unit_of(statement),
        "after": 0,
        "limit": None,
    }


def unit_of(statement: Statement) -> int:
    """Return how many micro-units a minor unit of the statement's currency is."""
    unit: int = 10 ** (6 - statement.minor_digits)
    return unit


def lines_cte(statement: Statement) -> str:
    """Return the WITH clause that ends in ``billed``, the statement's lines."""
    return DRAFTED if statement.state == StatementState.DRAFT else WRITTEN


def lines_after(statement: Statement, *, line_no: int = 0, limit: int) -> list[Line]:
    """Return up to ``limit`` lines that follow ``line_no``."""
    given = given_of(statement) | {"after": line_no, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(lines_cte(statement) + SHOWN, given)
        return [_line(row) for row in cursor.fetchall()]


def all_lines(statement: Statement) -> Iterator[Line]:
    """Yield every line, some thousand fetched at once."""
    with closing(connection.chunked_cursor()) as cursor:
        cursor.execute(lines_cte(statement) + SHOWN, given_of(statement))
        while rows := cursor.fetchmany(AT_ONCE):
            yield from map(_line, rows)


def _line(row: tuple[Any, ...]) -> Line:
    line_no, kind, *rest = row
    return Line(line_no, LineKind(kind), *rest)
