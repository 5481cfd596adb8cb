"""How long devices were there, from counters that only ever grow.

Between two readings a counter is taken to have grown evenly; what it stood at at the start and
the end of a period follows from the readings around those moments alone, whatever was lost in
between. Whole milliseconds: each moment is rounded down once, so that adjacent periods add up to
what the counter grew by. After a reboot the counter begins again at nothing.

When a boot began is known from its first reading's start. If that reading was lost, it began as
many readings earlier as are missing, each as long as the first that came; but not before the
device's boot before it ended, and early enough for the counter not to outrun the clock. No boot
lasts longer than ten years, which keeps these guesses within what the database can add up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from exchange.foundation.arrays import spelled

MEASURE = """
WITH slice AS MATERIALIZED (
    SELECT period.id AS period_id, assignment.device_id, device.capacity_lots,
           greatest(period.starts_at, assignment.starts_at) AS starts_at,
           least(period.ends_at, assignment.ends_at) AS ends_at
    FROM settlement_deliveryperiod AS period
    JOIN settlement_deviceassignment AS assignment
        ON assignment.contract_id = period.contract_id
       AND assignment.starts_at < period.ends_at AND assignment.ends_at > period.starts_at
    JOIN settlement_device AS device ON device.id = assignment.device_id
    WHERE period.id = ANY(%s::bigint[])
), stream AS (
    SELECT slice.*, meter.party, boot.meter_id, boot.boot_id, boot.last_energy_mj,
           greatest(before.ended_at, least(
               boot.first_starts_at - interval '1 second' * least(315576000,
                   (boot.first_seq - 1) * extract(epoch FROM
                       boot.first_ends_at - boot.first_starts_at))::float8,
               boot.first_ends_at
                   - ceil(boot.first_accel_ms::numeric * 1000000 / slice.capacity_lots)
                     * interval '1 microsecond')) AS booted_at
    FROM slice
    JOIN settlement_readingstream AS boot
        ON boot.device_id = slice.device_id AND boot.last_ends_at > slice.starts_at
    JOIN settlement_meter AS meter ON meter.id = boot.meter_id
    LEFT JOIN LATERAL (
        SELECT max(earlier.last_ends_at) AS ended_at FROM settlement_readingstream AS earlier
        WHERE earlier.meter_id = boot.meter_id AND earlier.device_id = boot.device_id
          AND earlier.boot_id <> boot.boot_id AND earlier.last_ends_at <= boot.first_starts_at
    ) AS before ON true
), bound AS (
    SELECT stream.*, sign, at FROM stream
    CROSS JOIN LATERAL (VALUES (-1, stream.starts_at), (1, stream.ends_at)) AS side (sign, at)
    WHERE stream.booted_at < stream.ends_at
), counted AS (
    SELECT bound.period_id, bound.party, bound.device_id, bound.last_energy_mj, bound.sign,
           bound.capacity_lots, bound.starts_at, bound.ends_at,
           low.accel_ms + CASE WHEN high.ends_at IS NULL THEN 0 ELSE div(
               (high.accel_ms_total - low.accel_ms) * since.low,
               extract(epoch FROM high.ends_at - low.ends_at)) END AS accel_ms,
           low.energy_mj + CASE WHEN high.ends_at IS NULL THEN 0 ELSE div(
               (high.energy_mj_total - low.energy_mj) * since.low,
               extract(epoch FROM high.ends_at - low.ends_at)) END AS energy_mj
    FROM bound
    LEFT JOIN LATERAL (
        SELECT reading.ends_at, reading.accel_ms_total, reading.energy_mj_total
        FROM settlement_reading AS reading
        WHERE reading.device_id = bound.device_id AND reading.meter_id = bound.meter_id
          AND reading.boot_id = bound.boot_id AND reading.ends_at <= bound.at
        ORDER BY reading.ends_at DESC LIMIT 1
    ) AS last ON bound.at > bound.booted_at
    CROSS JOIN LATERAL (SELECT
        coalesce(last.ends_at, bound.booted_at) AS ends_at,
        coalesce(last.accel_ms_total, 0) AS accel_ms,
        CASE WHEN last.ends_at IS NULL THEN 0 ELSE last.energy_mj_total END AS energy_mj
    ) AS low
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM greatest(bound.at - low.ends_at, interval '0')) AS low
    ) AS since
    LEFT JOIN LATERAL (
        SELECT reading.ends_at, reading.accel_ms_total, reading.energy_mj_total
        FROM settlement_reading AS reading
        WHERE reading.device_id = bound.device_id AND reading.meter_id = bound.meter_id
          AND reading.boot_id = bound.boot_id AND reading.ends_at > bound.at
        ORDER BY reading.ends_at LIMIT 1
    ) AS high ON since.low > 0
), device AS (
    SELECT period_id, party, device_id,
           least(sum(sign * accel_ms), div(
               capacity_lots * extract(epoch FROM ends_at - starts_at), 1)) AS accel_ms,
           CASE WHEN bool_and(last_energy_mj IS NOT NULL AND energy_mj IS NOT NULL)
                THEN sum(sign * energy_mj) END AS energy_mj
    FROM counted
    GROUP BY period_id, party, device_id, capacity_lots, starts_at, ends_at
)
SELECT period_id, party, sum(accel_ms)::bigint,
       CASE WHEN bool_and(energy_mj IS NOT NULL) THEN sum(energy_mj)::bigint END
FROM device GROUP BY period_id, party
"""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one party's meters counted in one period; energy is None if any of them counts none."""

    accel_ms: int
    energy_mj: int | None


def delivered_in(period_ids: Sequence[int]) -> dict[tuple[int, str], Delivered]:
    """Return what was delivered, by (period, party); no row where no meter saw the period."""
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, [spelled(period_ids)])
        return {
            (period_id, party): Delivered(accel_ms, energy_mj)
            for period_id, party, accel_ms, energy_mj in cursor.fetchall()
        }
