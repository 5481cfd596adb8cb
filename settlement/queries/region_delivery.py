"""What was delivered in a stretch of time, region by region, and what draws power there now."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from settlement.models import Party
from settlement.queries.delivered import delivered_in

POWER_OVER = timedelta(hours=2)  # two readings of a device that reports every hour lie in it
UNSETTLED_MAX = 20_000  # periods whose meters are asked one by one; those of the last few hours

# Of each period the latest run. Periods that no run has reckoned yet are named apart.
SETTLED = """
SELECT contract.region_code,
       sum(extract(epoch FROM period.ends_at - period.starts_at)::bigint * quantity_lots)::bigint,
       coalesce(sum(run.delivered_ms), 0)::bigint,
       coalesce(sum(run.energy_wh), 0)::bigint,
       coalesce(sum(run.energy_wh::numeric * 1000000 / contract.pue_micros), 0)::bigint,
       coalesce(sum(run.energy_wh::numeric * contract.renewable_micros / 1000000), 0)::bigint,
       coalesce(sum(run.delivered_ms::numeric * contract.tflops_micros / 1000000), 0)::bigint,
       coalesce(sum(run.delivered_ms::numeric * contract.tflops_micros / 1000000)
                FILTER (WHERE contract.domestic), 0)::bigint
FROM settlement_deliveryperiod AS period
JOIN settlement_contract AS contract ON contract.id = period.contract_id
CROSS JOIN LATERAL (
    SELECT delivered_ms, energy_wh FROM settlement_settlementrun
    WHERE period_id = period.id ORDER BY run_no DESC LIMIT 1) AS run
WHERE period.ends_at > %(since)s AND period.ends_at <= %(until)s
GROUP BY 1 ORDER BY 1
"""
UNSETTLED = f"""
SELECT period.id, contract.region_code,
       extract(epoch FROM period.ends_at - period.starts_at)::bigint * quantity_lots
FROM settlement_deliveryperiod AS period
JOIN settlement_contract AS contract ON contract.id = period.contract_id
WHERE period.state IN ('open', 'metered')
  AND period.ends_at > %(since)s AND period.ends_at <= %(until)s
  AND NOT EXISTS (SELECT FROM settlement_settlementrun WHERE period_id = period.id)
ORDER BY period.ends_at DESC LIMIT {UNSETTLED_MAX}
"""  # noqa: S608
# What counters grew by between the first and the last reading of the stretch, device by device.
POWER = """
WITH grown AS (
    SELECT reading.contract_id, reading.device_id,
           reading.energy_mj_total - lag(reading.energy_mj_total) OVER counted AS energy_mj,
           extract(epoch FROM reading.ends_at - lag(reading.ends_at) OVER counted) AS seconds
    FROM settlement_reading AS reading
    JOIN settlement_meter AS meter ON meter.id = reading.meter_id AND meter.party = 'provider'
    WHERE reading.ends_at > %(since)s AND reading.ends_at <= %(now)s
    WINDOW counted AS (
        PARTITION BY reading.meter_id, reading.device_id, reading.boot_id
        ORDER BY reading.ends_at)
), drawn AS (
    SELECT contract_id, device_id, sum(energy_mj) / sum(seconds) / 1000 AS watts
    FROM grown WHERE energy_mj IS NOT NULL AND seconds > 0
    GROUP BY contract_id, device_id
)
SELECT contract.region_code, sum(drawn.watts * contract.pue_micros / 1000000)::bigint
FROM drawn JOIN settlement_contract AS contract ON contract.id = drawn.contract_id
WHERE contract.ends_at > %(now)s
GROUP BY 1
"""
CONTRACTED_NOW = """
SELECT contract.region_code, sum(period.quantity_lots)::bigint
FROM settlement_deliveryperiod AS period
JOIN settlement_contract AS contract ON contract.id = period.contract_id
WHERE period.state = 'open' AND period.ends_at > %(now)s AND period.starts_at <= %(now)s
  AND contract.state NOT IN ('defaulted', 'transferred', 'ended')
GROUP BY 1
"""
REPORTING_NOW = """
SELECT contract.region_code, sum(device.capacity_lots)::bigint
FROM settlement_deviceassignment AS assignment
JOIN settlement_device AS device ON device.id = assignment.device_id
JOIN settlement_contract AS contract ON contract.id = assignment.contract_id
WHERE assignment.starts_at <= %(now)s AND assignment.ends_at > %(now)s AND EXISTS (
    SELECT FROM settlement_readingstream AS stream
    JOIN settlement_meter AS meter ON meter.id = stream.meter_id AND meter.party = 'provider'
    WHERE stream.device_id = assignment.device_id AND stream.last_ends_at > %(since)s)
GROUP BY 1
"""


@dataclass(slots=True)
class RegionDelivery:
    """One region over a stretch of time: accelerator-milliseconds, watt-hours, TFLOPS-milliseconds.

    ``delivered_ms`` of periods that no run has reckoned is what the provider's meters counted so
    far. ``energy_wh`` is the site's, PUE included; ``chips_wh`` the part that the chips took.
    Energy and TFLOPS are of reckoned periods alone.
    """

    region: str
    contracted_ms: int = 0
    delivered_ms: int = 0
    unsettled_ms: int = 0
    energy_wh: int = 0
    chips_wh: int = 0
    renewable_wh: int = 0
    tflops_ms: int = 0
    domestic_tflops_ms: int = 0

    def add(self, other: "RegionDelivery") -> None:
        """Add another region's figures to these."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def delivered_micros(self) -> int | None:
        """The share of what was contracted that was delivered."""
        return _share(self.delivered_ms, self.contracted_ms)

    @property
    def renewable_micros(self) -> int | None:
        """The share of the energy that the sites state to be renewable."""
        return _share(self.renewable_wh, self.energy_wh)

    @property
    def domestic_micros(self) -> int | None:
        """The share of the delivered TFLOPS-hours that ran on domestic chips."""
        return _share(self.domestic_tflops_ms, self.tflops_ms)

    @property
    def pue_micros(self) -> int | None:
        """The site's energy over that of its chips, over all that was delivered."""
        return _share(self.energy_wh, self.chips_wh)


@dataclass(frozen=True, slots=True)
class RegionNow:
    """One region at this moment: accelerators in lots, and the power drawn, PUE included."""

    region: str
    contracted_lots: int = 0
    reporting_lots: int = 0
    watts: int | None = None


_SUMS = tuple(name for name in RegionDelivery.__dataclass_fields__ if name != "region")


def delivery_by_region(since: datetime, until: datetime) -> dict[str, RegionDelivery]:
    """Return what periods that ended in ``(since, until]`` were owed and got, by region."""
    span = {"since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(SETTLED, span)
        found = {
            region: RegionDelivery(region, contracted, delivered, 0, *energy_and_work)
            for region, contracted, delivered, *energy_and_work in cursor.fetchall()
        }
        cursor.execute(UNSETTLED, span)
        unsettled = cursor.fetchall()
    counted = _counted_ms([period_id for period_id, _, _ in unsettled])
    for period_id, region, contracted_ms in unsettled:
        row = found.setdefault(region, RegionDelivery(region))
        row.contracted_ms += contracted_ms
        row.unsettled_ms += contracted_ms
        row.delivered_ms += min(contracted_ms, counted[period_id])
    return found


def regions_now(now: datetime, *, heard_since: datetime) -> dict[str, RegionNow]:
    """Return what is under contract, heard of and drawn at this moment, by region.

    A device is heard of if its provider's meter reported anything since ``heard_since``. Power is
    the mean between the first and last reading of the last hours; None where no device sent two.
    """
    asked = {"now": now, "since": heard_since}
    contracted, reporting = _ask(CONTRACTED_NOW, asked), _ask(REPORTING_NOW, asked)
    watts = _ask(POWER, {"now": now, "since": now - POWER_OVER})
    return {
        region: RegionNow(
            region, contracted.get(region, 0), reporting.get(region, 0), watts.get(region)
        )
        for region in contracted.keys() | reporting.keys() | watts.keys()
    }


def last_delivery_ended_at(until: datetime) -> datetime | None:
    """Return when the last delivery period up to ``until`` ended, or None before the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(ends_at) FROM settlement_deliveryperiod WHERE ends_at <= %s", [until]
        )
        found: tuple[datetime | None] = cursor.fetchone()
        return found[0]


def _counted_ms(period_ids: list[int]) -> dict[int, int]:
    counted: dict[int, int] = defaultdict(int)
    for (period_id, party), delivered in delivered_in(period_ids).items():
        if party == Party.PROVIDER:
            counted[period_id] = delivered.accel_ms
    return counted


def _ask(query: str, asked: dict[str, datetime]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        return dict(cursor.fetchall())


def _share(part: int, whole: int) -> int | None:
    return part * 1_000_000 // whole if whole else None
