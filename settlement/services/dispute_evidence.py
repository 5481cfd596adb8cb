"""What both parties' meters said about a disputed period, attached while the readings are there.

Old partitions of readings may be detached; what a dispute rests on stays with it.
"""

from collections.abc import Collection

from django.db import connection

# Readings that touch the period, of every device that served in it: of a resold one, those of the
# contract under which it is delivered.
ATTACH = """
WITH RECURSIVE source AS (
    SELECT dispute.id AS dispute_id, period.contract_id, period.resold_from_id, period.starts_at,
           period.ends_at
    FROM settlement_dispute AS dispute
    JOIN settlement_deliveryperiod AS period ON period.id = dispute.period_id
    WHERE dispute.id = ANY(%s)
    UNION ALL
    SELECT source.dispute_id, first.contract_id, first.resold_from_id, source.starts_at,
           source.ends_at
    FROM source JOIN settlement_deliveryperiod AS first ON first.id = source.resold_from_id
)
INSERT INTO settlement_disputeevidence
    (dispute_id, party, meter_id, device_id, boot_id, seq, starts_at, ends_at, accel_ms_total,
     energy_mj_total, util_ppm, quality)
SELECT DISTINCT ON (dispute_id, meter.id, reading.device_id, reading.boot_id, reading.seq)
       dispute_id, meter.party, meter.id, reading.device_id, reading.boot_id, reading.seq,
       reading.starts_at, reading.ends_at, reading.accel_ms_total, reading.energy_mj_total,
       reading.util_ppm, reading.quality
FROM source AS period
JOIN settlement_deviceassignment AS assignment
    ON assignment.contract_id = period.contract_id
   AND assignment.starts_at < period.ends_at AND assignment.ends_at > period.starts_at
JOIN settlement_reading AS reading
    ON reading.device_id = assignment.device_id AND reading.ends_at > period.starts_at
   AND reading.starts_at < period.ends_at AND reading.ends_at < period.ends_at + interval '1 day'
JOIN settlement_meter AS meter ON meter.id = reading.meter_id
WHERE period.resold_from_id IS NULL
ON CONFLICT (dispute_id, meter_id, device_id, boot_id, seq) DO NOTHING
"""


def attach_series(dispute_ids: Collection[int]) -> int:
    """Attach what is not attached yet; return how many readings that were."""
    if not dispute_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(ATTACH, [list(dispute_ids)])
        return int(cursor.rowcount)
