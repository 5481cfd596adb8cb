"""Runs go into their table by COPY, a batch at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from settlement.postings import Metered, exact_price, inputs_sha256
from settlement.services.posting_rows import NULL, instant
from settlement.services.run_postings import Reckoned

COPY = """
COPY settlement_settlementrun (period_id, run_no, ran_at, contracted_ms, provider_ms, buyer_ms,
    excused_ms, delivered_ms, buyer_due_micros, seller_due_micros, congestion_micros, power_micros,
    policy_micros, rounding_micros, buyer_fee_micros, seller_fee_micros, penalty_micros,
    energy_wh, co2_grams, ruled_ms, energy_mj, replacement_price, grid_factor_id,
    inputs_sha256) FROM STDIN
"""


def write_runs(
    reckoned: Sequence[Reckoned], metered: Mapping[int, Metered], *, now: datetime
) -> None:
    """Write a row for each run. A second row for a period's run breaks a constraint."""
    ran_at = instant(now)
    text = "".join([_line(each, metered[each.period.id], ran_at) for each in reckoned])
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(text)


def _line(each: Reckoned, metered: Metered, ran_at: str) -> str:
    """Return the row as COPY reads it."""
    period, after = each.period, each.after
    columns = (
        period.id,
        int(period.run_no),
        ran_at,
        after.contracted_ms,
        metered.provider_ms,
        metered.buyer_ms,
        metered.excused_ms,
        after.delivered_ms,
        after.buyer_due,
        after.seller_due,
        after.congestion,
        after.power,
        after.policy,
        after.rounding,
        after.buyer_fee,
        after.seller_fee,
        after.penalty,
        after.energy_wh,
        after.co2_grams,
        metered.ruled_ms,
        metered.energy_mj,
        exact_price(period.terms.replacement_price),
        period.grid_factor_id,
        rf"\\x{inputs_sha256(period.terms, metered).hex()}",
    )
    return "\t".join(map(str, columns)).replace("None", NULL) + "\n"
