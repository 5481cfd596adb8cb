"""Invariants of readings, streams and the devices that they speak of."""

from settlement.queries.invariants.rule import Invariant

METERING = (
    Invariant(
        17,
        "streams' last number and missing count as the readings have them",
        """
        SELECT stream.id, stream.max_seq, kept.last, stream.received_count, kept.count
        FROM settlement_readingstream AS stream
        LEFT JOIN (SELECT meter_id, device_id, boot_id, max(seq) AS last, count(*) AS count
                   FROM settlement_reading GROUP BY meter_id, device_id, boot_id) AS kept
            USING (meter_id, device_id, boot_id)
        WHERE stream.first_ends_at >= (SELECT min(ends_at) FROM settlement_reading)
          AND (stream.max_seq, stream.received_count, stream.missing_count) IS DISTINCT FROM
              (kept.last, kept.count, kept.last - kept.count)
        """,
    ),
    Invariant(
        17,
        "every reading was accepted once, and every accepted event is a reading",
        """
        SELECT coalesce(reading.id, event.id) FROM settlement_reading AS reading
        FULL JOIN settlement_readingevent AS event ON event.id = reading.id
        WHERE event.id IS NULL OR event.meter_id <> coalesce(reading.meter_id, event.meter_id)
           OR (reading.id IS NULL
               AND event.received_at >= (SELECT min(ends_at) FROM settlement_reading)
               AND NOT EXISTS (SELECT FROM settlement_readingstream AS stream
                               WHERE stream.meter_id = event.meter_id AND stream.first_ends_at
                                     < (SELECT min(ends_at) FROM settlement_reading)))
        """,
    ),
    Invariant(
        18,
        "counters never go back within a boot",
        """
        SELECT id FROM (
            SELECT id, seq, accel_ms_total, energy_mj_total, lag(seq) OVER stream AS seq_before,
                   lag(accel_ms_total) OVER stream AS accel_before,
                   lag(energy_mj_total) OVER stream AS energy_before
            FROM settlement_reading
            WINDOW stream AS (PARTITION BY meter_id, device_id, boot_id ORDER BY ends_at)) AS step
        WHERE seq <= seq_before OR accel_ms_total < accel_before OR energy_mj_total < energy_before
        """,
    ),
    Invariant(
        19,
        "counters never grow faster than the clock",
        """
        SELECT id FROM (
            SELECT reading.id, ends_at, accel_ms_total, capacity_lots,
                   lag(ends_at) OVER stream AS end_before,
                   lag(accel_ms_total) OVER stream AS accel_before
            FROM settlement_reading AS reading
            JOIN settlement_device AS device ON device.id = reading.device_id
            WINDOW stream AS (PARTITION BY meter_id, device_id, boot_id ORDER BY ends_at)) AS step
        WHERE accel_ms_total - accel_before >
              capacity_lots * (extract(epoch FROM ends_at - end_before) + 0.05)
        """,
    ),
    Invariant(
        20,
        "no device serves two contracts at once, and readings are of those that it served",
        """
        SELECT one.device_id, one.contract_id, other.contract_id
        FROM settlement_deviceassignment AS one
        JOIN settlement_deviceassignment AS other
            ON other.device_id = one.device_id AND other.id > one.id
           AND tstzrange(other.starts_at, other.ends_at) && tstzrange(one.starts_at, one.ends_at)
        UNION ALL
        SELECT reading.device_id, reading.contract_id, NULL FROM settlement_reading AS reading
        WHERE NOT EXISTS (
            SELECT FROM settlement_deviceassignment AS assignment
            WHERE assignment.device_id = reading.device_id
              AND assignment.contract_id = reading.contract_id
              AND assignment.starts_at <= reading.ends_at
              AND greatest(assignment.ends_at, assignment.revoked_at) > reading.starts_at)
        """,
    ),
)
