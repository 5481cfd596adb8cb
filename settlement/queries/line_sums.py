"""A statement's lines added up by site, accelerator and kind: what fits on paper."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from settlement.models import LineKind, Statement
from settlement.queries.statement_lines import given_of, lines_cte

GROUPS_MAX = 2_000
BY_SITE = """
SELECT contract.site_code, contract.accelerator_code, line.kind, count(*),
       sum(line.delivered_ms)::bigint, sum(line.energy_wh)::bigint, sum(line.co2_grams)::bigint,
       sum(line.exact_micros)::bigint, sum(line.billed_minor)::bigint
FROM billed AS line
JOIN settlement_deliveryperiod AS period ON period.id = line.period_id
JOIN settlement_contract AS contract ON contract.id = period.contract_id
GROUP BY 1, 2, 3 ORDER BY 1, 2, min(line.line_no) LIMIT %(groups)s
"""
FACTORS = """
SELECT DISTINCT coalesce(grid.source, ''), run.energy_mj IS NOT NULL
FROM billed AS line
JOIN settlement_settlementrun AS run
    ON run.period_id = line.period_id AND run.run_no = line.run_no
LEFT JOIN settlement_gridfactor AS grid ON grid.id = run.grid_factor_id
WHERE line.energy_wh <> 0 ORDER BY 1, 2 LIMIT %(groups)s
"""


@dataclass(frozen=True, slots=True)
class LineSum:
    """The lines of one kind about one accelerator at one site."""

    site: str
    accelerator: str
    kind: LineKind
    lines_count: int
    delivered_ms: int
    energy_wh: int
    co2_grams: int
    exact_micros: int
    billed_minor: int


def sums_by_site(statement: Statement) -> list[LineSum]:
    """Return the sums, in order of site and accelerator."""
    with connection.cursor() as cursor:
        cursor.execute(lines_cte(statement) + BY_SITE, _given(statement))
        return [
            LineSum(site, chip, LineKind(kind), *rest)
            for site, chip, kind, *rest in cursor.fetchall()
        ]


def factors_used(statement: Statement) -> list[tuple[str, bool]]:
    """Return the sources of the grid's CO2, each with whether the energy was metered."""
    with connection.cursor() as cursor:
        cursor.execute(lines_cte(statement) + FACTORS, _given(statement))
        return list(cursor.fetchall())


def _given(statement: Statement) -> dict[str, Any]:
    return given_of(statement) | {"groups": GROUPS_MAX}
