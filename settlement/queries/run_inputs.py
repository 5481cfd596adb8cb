"""What a run was reckoned from, as it was then: terms of the contract, figures of the meters."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from exchange.foundation.rows import named_rows
from settlement.postings import Metered, Terms
from settlement.queries.agreed_terms import agreed_terms

INPUTS = """
SELECT run.period_id, run.run_no, contract.public_id, period.starts_at, run.ran_at,
       run.inputs_sha256, run.contracted_ms, period.price_ticks, period.buyer_price,
       period.seller_price, period.congestion_price, period.power_price, period.policy_price,
       run.replacement_price, contract.tolerance_ppm, contract.penalty_factor_ppm,
       contract.buyer_fee_ppm, contract.seller_fee_ppm, contract.watts_micros,
       contract.pue_micros, contract.renewable_micros, grid.grams_per_mwh AS grid_grams_per_mwh,
       run.provider_ms, run.buyer_ms, run.ruled_ms, run.excused_ms, run.energy_mj
FROM settlement_settlementrun AS run
JOIN settlement_deliveryperiod AS period ON period.id = run.period_id
JOIN settlement_contract AS contract ON contract.id = period.contract_id
LEFT JOIN settlement_gridfactor AS grid ON grid.id = run.grid_factor_id
WHERE run.period_id = ANY(%s) ORDER BY run.period_id, run.run_no
"""
METERED = ("provider_ms", "buyer_ms", "ruled_ms", "excused_ms", "energy_mj")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """A run's place, what went into it, and the hash that was kept of that."""

    period_id: int
    run_no: int
    contract: str
    starts_at: datetime
    ran_at: datetime
    terms: Terms
    metered: Metered
    inputs_sha256: bytes


def inputs_of(period_ids: Collection[int]) -> Iterator[RunInputs]:
    """Yield all runs of these periods, in order, each with its inputs."""
    with connection.cursor() as cursor:
        cursor.execute(INPUTS, [list(period_ids)])
        for row in named_rows(cursor):
            yield _inputs(row)


def _inputs(row: Any) -> RunInputs:
    return RunInputs(
        period_id=row.period_id,
        run_no=row.run_no,
        contract=row.public_id,
        starts_at=row.starts_at,
        ran_at=row.ran_at,
        terms=agreed_terms(
            row,
            row,
            contracted_ms=row.contracted_ms,
            replacement_price=row.replacement_price,
            grid_grams_per_mwh=row.grid_grams_per_mwh,
        ),
        metered=Metered(**{name: getattr(row, name) for name in METERED}),
        inputs_sha256=bytes(row.inputs_sha256),
    )
