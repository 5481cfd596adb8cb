"""What taking in a batch of readings asks of the database, and writes: a few statements a batch."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from exchange.foundation.arrays import spelled
from settlement.services.plausibility import Boot, Claim, Point
from settlement.services.posting_rows import NULL
from settlement.services.reading_events import Report, micros, moment

_by_seq = attrgetter("seq")
StreamKey = tuple[int, str]  # device, boot
RECENT_US = 2 * 24 * 3600 * 1_000_000
"""How long before the batch another boot may have ended and still be compared with."""


@dataclass(frozen=True, slots=True)
class Service:
    """A device as it serves one contract for a time."""

    device_id: int
    contract_id: int
    starts_us: int
    ends_us: int
    claim: Claim
    is_revoked: bool


class Accepted(NamedTuple):
    """A report with the rows that its subject names."""

    report: Report
    service: Service

    @property
    def stream(self) -> StreamKey:
        """Which stream it belongs to."""
        return self.service.device_id, self.report.boot_id


KNOWN = """
SELECT event_id, content_sha256 FROM settlement_readingevent
WHERE meter_id = %s AND event_id = ANY(%s)
"""
# A provider's meter speaks of its own devices at its site, a buyer's of those that serve it.
SERVICES = """
SELECT contract.public_id, device.public_id, device.id, contract.id,
       assignment.starts_at, assignment.ends_at, device.revoked_at IS NOT NULL,
       device.capacity_lots, contract.watts_micros
FROM settlement_meter AS meter
JOIN settlement_device AS device
    ON device.public_id = ANY(%s) AND device.site_code = meter.site_code
JOIN settlement_deviceassignment AS assignment ON assignment.device_id = device.id
JOIN settlement_contract AS contract ON contract.id = assignment.contract_id
WHERE meter.id = %s AND contract.public_id = ANY(%s)
  AND CASE meter.party WHEN 'buyer' THEN contract.buyer_id ELSE device.organization_id END
      = meter.organization_id
"""
STREAMS = """
SELECT device_id, boot_id, first_starts_at, last_ends_at, max_seq, last_accel_ms, last_energy_mj
FROM settlement_readingstream
WHERE meter_id = %s AND device_id = ANY(%s) AND (boot_id = ANY(%s::uuid[]) OR last_ends_at > %s)
"""
NEIGHBOURS = """
SELECT given.device_id, given.boot_id, near.seq, near.starts_at, near.ends_at,
       near.accel_ms_total, near.energy_mj_total
FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[]) AS given (device_id, boot_id, at)
CROSS JOIN LATERAL (
    (SELECT * FROM settlement_reading AS r
     WHERE r.device_id = given.device_id AND r.meter_id = %s AND r.boot_id = given.boot_id
       AND r.ends_at <= given.at ORDER BY r.ends_at DESC LIMIT 1)
    UNION ALL
    (SELECT * FROM settlement_reading AS r
     WHERE r.device_id = given.device_id AND r.meter_id = %s AND r.boot_id = given.boot_id
       AND r.ends_at > given.at ORDER BY r.ends_at LIMIT 1)
) AS near
"""
STAGE = """
COPY settlement_readingstage (meter_id, event_id, content_sha256, device_id, contract_id, boot_id,
    seq, starts_at, ends_at, accel_ms_total, energy_mj_total, util_ppm, quality) FROM STDIN
"""
STORE = """
WITH staged AS (
    DELETE FROM settlement_readingstage WHERE meter_id = %s RETURNING *
), fresh AS (
    INSERT INTO settlement_readingevent (meter_id, event_id, content_sha256, received_at)
    SELECT meter_id, event_id, content_sha256, market_now() FROM staged
    ON CONFLICT (meter_id, event_id) DO NOTHING
    RETURNING id, event_id
)
INSERT INTO settlement_reading (id, meter_id, device_id, contract_id, boot_id, seq, starts_at,
                                ends_at, accel_ms_total, energy_mj_total, util_ppm, quality)
SELECT fresh.id, meter_id, device_id, contract_id, boot_id, seq, starts_at,
       ends_at, accel_ms_total, energy_mj_total, util_ppm, quality
FROM staged JOIN fresh USING (event_id)
"""
FOLLOW_STREAMS = """
INSERT INTO settlement_readingstream AS kept (meter_id, device_id, boot_id,
    first_seq, first_starts_at, first_ends_at, first_accel_ms,
    max_seq, last_ends_at, last_accel_ms, last_energy_mj, received_count, missing_count)
SELECT %s, given.*, max_seq - received FROM unnest(
    %s::bigint[], %s::uuid[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
    %s::bigint[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[])
    AS given (device_id, boot_id, first_seq, first_starts_at, first_ends_at, first_accel_ms,
              max_seq, last_ends_at, last_accel_ms, last_energy_mj, received)
ORDER BY device_id, boot_id
ON CONFLICT (meter_id, device_id, boot_id) DO UPDATE SET
    (first_seq, first_starts_at, first_ends_at, first_accel_ms) =
        (SELECT one.* FROM (VALUES
            (kept.first_seq, kept.first_starts_at, kept.first_ends_at, kept.first_accel_ms),
            (excluded.first_seq, excluded.first_starts_at, excluded.first_ends_at,
             excluded.first_accel_ms)) AS one (seq, starts_at, ends_at, accel_ms)
         ORDER BY one.seq LIMIT 1),
    (max_seq, last_ends_at, last_accel_ms, last_energy_mj) =
        (SELECT one.* FROM (VALUES
            (kept.max_seq, kept.last_ends_at, kept.last_accel_ms, kept.last_energy_mj),
            (excluded.max_seq, excluded.last_ends_at, excluded.last_accel_ms,
             excluded.last_energy_mj)) AS one (seq, ends_at, accel_ms, energy_mj)
         ORDER BY one.seq DESC LIMIT 1),
    received_count = kept.received_count + excluded.received_count,
    missing_count = greatest(kept.max_seq, excluded.max_seq)
                    - kept.received_count - excluded.received_count
"""


def known_hashes(meter_id: int, event_ids: Collection[str]) -> dict[str, bytes]:
    """Return the content hashes of those events that were accepted before."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [meter_id, list(event_ids)])
        return {event_id: bytes(sha256) for event_id, sha256 in cursor.fetchall()}


def services_of(meter_id: int, reports: Sequence[Report]) -> dict[tuple[str, str], list[Service]]:
    """Return when which device served which contract, by (contract, device)."""
    services: dict[tuple[str, str], list[Service]] = {}
    devices = list({report.device for report in reports})
    with connection.cursor() as cursor:
        cursor.execute(SERVICES, [devices, meter_id, list({r.contract for r in reports})])
        for row in cursor.fetchall():
            contract, device, device_id, contract_id, starts_at, ends_at, is_revoked, *claim = row
            service = Service(
                device_id=device_id,
                contract_id=contract_id,
                starts_us=micros(starts_at),
                ends_us=micros(ends_at),
                claim=Claim(*claim),
                is_revoked=is_revoked,
            )
            services.setdefault((contract, device), []).append(service)
    return services


def boots_of(meter_id: int, candidates: Sequence[Accepted]) -> dict[int, dict[str, Boot]]:
    """Return what is known in short of the boots of these devices, by device."""
    boots: dict[int, dict[str, Boot]] = {}
    if not candidates:
        return boots
    since = min(each.report.starts_us for each in candidates) - RECENT_US
    keys = {each.stream for each in candidates}
    with connection.cursor() as cursor:
        cursor.execute(
            STREAMS,
            [meter_id, list({d for d, _ in keys}), list({b for _, b in keys}), moment(since)],
        )
        for device_id, boot_id, first, last, *counters in cursor.fetchall():
            boot = Boot([_last_point(last, *counters)], micros(first), micros(last))
            boots.setdefault(device_id, {})[str(boot_id)] = boot
    return boots


def _last_point(last: Any, seq: int, accel_ms: int, energy_mj: int | None) -> Point:
    at = micros(last)
    return Point(seq, at, at, accel_ms, energy_mj)  # its start is needed by none that follows it


def add_neighbours(
    meter_id: int, candidates: Sequence[Accepted], boots: dict[int, dict[str, Boot]]
) -> None:
    """Find the stored readings around those reports that do not simply follow the last one."""
    inner = [
        each
        for each in candidates
        if (boot := boots.get(each.stream[0], {}).get(each.stream[1]))
        and each.report.starts_us < (boot.last_us or 0)
    ]
    if not inner:
        return
    probes = {(*each.stream, each.report.ends_us) for each in inner}
    for device_id, boot_id in {each.stream for each in inner}:
        boot = boots[device_id][boot_id]
        boot.points.clear()  # the last one comes again, with its start
        probes.add((device_id, boot_id, boot.last_us or 0))
    devices, ids, ends = zip(*probes, strict=True)
    at = [moment(each) for each in ends]
    with connection.cursor() as cursor:
        cursor.execute(NEIGHBOURS, [list(devices), list(ids), at, meter_id, meter_id])
        found = {
            (device, str(boot), Point(seq, micros(starts), micros(ends), accel, energy))
            for device, boot, seq, starts, ends, accel, energy in cursor.fetchall()
        }
    for device_id, boot_id, point in found:
        boots[device_id][boot_id].add(point)


def store(meter_id: int, accepted: Sequence[Accepted]) -> int:
    """Write accepted reports: COPY to the stage, then events and readings; return how many."""
    with connection.cursor() as cursor:
        with cursor.copy(STAGE) as copy:
            copy.write("".join(_stage_lines(meter_id, accepted)))
        cursor.execute(STORE, [meter_id])
        stored: int = cursor.rowcount
        cursor.execute(FOLLOW_STREAMS, [meter_id, *_stream_columns(accepted)])
        return stored


def _stage_lines(meter_id: int, accepted: Sequence[Accepted]) -> Iterator[str]:
    """Yield the rows as COPY reads them: a checked event holds no tab and no end of line."""
    known = {report.starts_us for report, _ in accepted} | {r.ends_us for r, _ in accepted}
    text = {at: moment(at).isoformat() for at in known}
    for report, service in accepted:
        yield (
            f"{meter_id}\t{_escaped(report.event_id)}\t\\\\x{report.content_sha256.hex()}"
            f"\t{service.device_id}\t{service.contract_id}\t{report.boot_id}\t{report.seq}"
            f"\t{text[report.starts_us]}\t{text[report.ends_us]}\t{report.accel_ms}"
            f"\t{_whole(report.energy_mj)}\t{_whole(report.util_ppm)}\t{report.quality}\n"
        )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


def _whole(number: int | None) -> str:
    return NULL if number is None else str(number)


def _stream_columns(accepted: Sequence[Accepted]) -> list[str]:
    """Return the streams' first and last reports in this batch, column by column."""
    streams: dict[StreamKey, list[Report]] = {}
    for each in accepted:
        streams.setdefault(each.stream, []).append(each.report)
    rows = [_stream_row(key, reports) for key, reports in streams.items()]
    return [spelled(column) for column in zip(*rows, strict=True)]


def _stream_row(key: StreamKey, reports: Sequence[Report]) -> tuple[Any, ...]:
    first, last = min(reports, key=_by_seq), max(reports, key=_by_seq)
    return (
        *key,
        first.seq,
        moment(first.starts_us),
        moment(first.ends_us),
        first.accel_ms,
        last.seq,
        moment(last.ends_us),
        last.accel_ms,
        last.energy_mj,
        len(reports),
    )
