"""Meters that should be heard of and are not."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

LATE_MAX = 200
LATE = f"""
SELECT meter.public_id, owner.name, meter.site_code, count(DISTINCT assignment.device_id),
       count(DISTINCT assignment.contract_id), max(stream.last_ends_at)
FROM settlement_deviceassignment AS assignment
JOIN settlement_device AS device ON device.id = assignment.device_id
JOIN settlement_meter AS meter
    ON meter.organization_id = device.organization_id AND meter.site_code = device.site_code
   AND meter.party = 'provider' AND meter.revoked_at IS NULL
JOIN accounts_organization AS owner ON owner.id = meter.organization_id
LEFT JOIN settlement_readingstream AS stream
    ON stream.device_id = device.id AND stream.meter_id = meter.id
WHERE assignment.starts_at <= %(since)s AND assignment.ends_at > %(now)s
GROUP BY meter.id, owner.id
HAVING coalesce(max(stream.last_ends_at), '-infinity') <= %(since)s
ORDER BY max(stream.last_ends_at) NULLS FIRST, meter.id
LIMIT {LATE_MAX}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class LateMeter:
    """A provider's meter whose devices serve contracts now, silent since ``heard_at`` or ever."""

    meter: str
    provider: str
    site: str
    devices: int
    contracts: int
    heard_at: datetime | None


def late_meters(now: datetime, *, since: datetime) -> list[LateMeter]:
    """Return the meters of running contracts that were not heard of after ``since``.

    The longest silent come first, at most two hundred.
    """
    with connection.cursor() as cursor:
        cursor.execute(LATE, {"now": now, "since": since})
        return [LateMeter(*row) for row in cursor.fetchall()]
