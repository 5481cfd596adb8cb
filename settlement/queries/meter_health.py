"""How well the meters of a provider watch its devices.

A device is ``silent`` if it has served a contract for longer than the heartbeat and nothing of it
was read since, ``reporting`` if it serves and is read, ``idle`` while it serves nobody. Only the
readings of its owner's meters count.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

_HEALTH = """
SELECT device.id, serving.contract,
       CASE WHEN serving.contract IS NULL THEN 'idle'
            WHEN serving.starts_at < %(since)s
                 AND (stream.last_at IS NULL OR stream.last_at < %(since)s) THEN 'silent'
            ELSE 'reporting' END,
       stream.last_at, came.received_at, coalesce(stream.missing, 0), conflict.count
FROM settlement_device AS device
LEFT JOIN LATERAL (
    SELECT contract.public_id AS contract, one.starts_at
    FROM settlement_deviceassignment AS one
    JOIN settlement_contract AS contract ON contract.id = one.contract_id
    WHERE one.device_id = device.id AND one.starts_at <= %(now)s AND one.ends_at > %(now)s
    LIMIT 1) AS serving ON true
LEFT JOIN LATERAL (
    SELECT max(one.last_ends_at) AS last_at, sum(one.missing_count)::bigint AS missing
    FROM settlement_readingstream AS one
    JOIN settlement_meter AS meter
        ON meter.id = one.meter_id AND meter.organization_id = device.organization_id
    WHERE one.device_id = device.id) AS stream ON true
LEFT JOIN LATERAL (
    SELECT event.received_at FROM settlement_reading AS reading
    JOIN settlement_readingevent AS event ON event.id = reading.id
    WHERE reading.device_id = device.id AND reading.ends_at = stream.last_at
    LIMIT 1) AS came ON true
LEFT JOIN LATERAL (
    SELECT count(*) FROM settlement_readingconflict AS one
    JOIN settlement_meter AS meter
        ON meter.id = one.meter_id AND meter.organization_id = device.organization_id
    WHERE one.body ->> 'subject' LIKE '%%/' || device.public_id) AS conflict ON true
WHERE device.id = ANY(%(devices)s)
"""
_SILENT = """
SELECT count(*) FROM settlement_deviceassignment AS serving
JOIN settlement_device AS device ON device.id = serving.device_id
WHERE device.organization_id = %(provider)s
  AND serving.starts_at < %(since)s AND serving.ends_at > %(now)s
  AND NOT EXISTS (
    SELECT FROM settlement_readingstream AS stream
    JOIN settlement_meter AS meter
        ON meter.id = stream.meter_id AND meter.organization_id = device.organization_id
    WHERE stream.device_id = device.id AND stream.last_ends_at >= %(since)s)
"""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one device; ``contract`` is the public id of the one it serves now.

    ``last_at`` is until when it was read, ``missing`` how many readings never came, ``conflicts``
    how many came again with other content.
    """

    contract: str | None
    state: str
    last_at: datetime | None
    received_at: datetime | None
    missing: int
    conflicts: int

    @property
    def late(self) -> timedelta | None:
        """How long after its end the last reading came."""
        if self.last_at is None or self.received_at is None:
            return None
        return max(timedelta(0), self.received_at - self.last_at)


def health_of(device_ids: Collection[int], now: datetime) -> dict[int, Health]:
    """Return the health of each of these devices, by its number."""
    given: dict[str, Any] = {"devices": list(device_ids), "now": now, "since": _since(now)}
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH, given)
        return {row[0]: Health(*row[1:]) for row in cursor.fetchall()}


def silent_devices(provider_id: int, now: datetime) -> int:
    """Count a provider's devices that serve a contract and have not been heard of lately."""
    with connection.cursor() as cursor:
        cursor.execute(_SILENT, {"provider": provider_id, "now": now, "since": _since(now)})
        (count,) = cursor.fetchone()
    return int(count)


def _since(now: datetime) -> datetime:
    return now - timedelta(minutes=settings.HEARTBEAT_MINUTES)
