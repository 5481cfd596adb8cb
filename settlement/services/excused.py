"""How much of a period falls into outages that are excused."""

from collections.abc import Sequence

from django.db import connection

from exchange.foundation.arrays import spelled

# Outages that overlap count once. Lots times seconds are accelerator-milliseconds.
EXCUSED = """
SELECT period.id, floor(period.quantity_lots * sum(
    extract(epoch FROM upper(part) - lower(part))))::bigint
FROM settlement_deliveryperiod AS period
JOIN LATERAL (
    SELECT range_agg(tstzrange(greatest(outage.starts_at, period.starts_at),
                               least(outage.ends_at, period.ends_at))) AS parts
    FROM settlement_excusedoutage AS outage
    WHERE outage.contract_id = period.contract_id AND outage.starts_at < period.ends_at
      AND (outage.ends_at IS NULL OR outage.ends_at > period.starts_at)) AS outages ON true
CROSS JOIN LATERAL unnest(outages.parts) AS part
WHERE period.id = ANY(%s::bigint[]) GROUP BY period.id
"""


def excused_in(period_ids: Sequence[int]) -> dict[int, int]:
    """Return accelerator-milliseconds by period; periods without an outage are not in it."""
    with connection.cursor() as cursor:
        cursor.execute(EXCUSED, [spelled(period_ids)])
        return dict(cursor.fetchall())
