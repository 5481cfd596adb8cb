"""Capacity and delivery, region by region: the first board of the control room."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import Caller
from exchange.queries.capacity import PlaceCapacity, capacity_of
from settlement.queries.region_delivery import (
    RegionDelivery,
    RegionNow,
    delivery_by_region,
    last_delivery_ended_at,
    regions_now,
)

AHEAD = timedelta(hours=24)
TOTAL = ""  # the name of the row that adds all regions up


@dataclass(slots=True)
class RegionCapacity:
    """The accelerator-milliseconds of a region over the coming day.

    ``contracted_ms`` is sold, ``promised_ms`` what active offers may still sell.
    """

    standing_ms: int = 0
    down_ms: int = 0
    contracted_ms: int = 0
    promised_ms: int = 0

    def add(self, other: "RegionCapacity") -> None:
        """Add another region's capacity to this one."""
        self.standing_ms += other.standing_ms
        self.down_ms += other.down_ms
        self.contracted_ms += other.contracted_ms
        self.promised_ms += other.promised_ms

    @property
    def offered_ms(self) -> int:
        """What is for sale or sold."""
        return self.contracted_ms + self.promised_ms

    @property
    def sold_micros(self) -> int | None:
        """The share of what is offered that is sold."""
        return self.contracted_ms * 1_000_000 // self.offered_ms if self.offered_ms else None

    @property
    def use_micros(self) -> int | None:
        """The share of what stands there, and is not down, that is sold."""
        there = self.standing_ms - self.down_ms
        return self.contracted_ms * 1_000_000 // there if there > 0 else None


@dataclass(slots=True)
class RegionRow:
    """All that the control room knows of one region, or of all together."""

    region: str
    capacity: RegionCapacity = field(default_factory=RegionCapacity)
    delivery: RegionDelivery = field(default_factory=lambda: RegionDelivery(TOTAL))
    now: RegionNow = field(default_factory=lambda: RegionNow(TOTAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionBoard:
    """The rows of all regions that have any figure, and their total."""

    now: datetime
    since: datetime
    rows: tuple[RegionRow, ...]
    total: RegionRow
    last_ended_at: datetime | None  # of all deliveries so far


def region_board(
    caller: Caller, now: datetime, *, since: datetime, heard_since: datetime
) -> RegionBoard:
    """Return the coming day's capacity, this moment, and the deliveries since ``since``.

    ``caller`` sees all regions: an operator or an auditor. A device counts as reporting if it was
    heard of after ``heard_since``.
    """
    assert caller.sees_all, caller.signature
    capacity = _capacity(capacity_of(caller, now, now + AHEAD))
    delivery = delivery_by_region(since, now)
    present = regions_now(now, heard_since=heard_since)
    rows = tuple(
        RegionRow(
            region,
            capacity.get(region, RegionCapacity()),
            delivery.get(region, RegionDelivery(region)),
            present.get(region, RegionNow(region)),
        )
        for region in sorted(capacity.keys() | delivery.keys() | present.keys())
    )
    return RegionBoard(
        now=now,
        since=since,
        rows=rows,
        total=_total(rows),
        last_ended_at=last_delivery_ended_at(now),
    )


def _capacity(places: Iterable[PlaceCapacity]) -> dict[str, RegionCapacity]:
    found: dict[str, RegionCapacity] = {}
    for place in places:
        row = found.setdefault(place.site.region.code, RegionCapacity())
        for segment in place.segments:
            seconds = round((segment.ends_at - segment.starts_at).total_seconds())
            row.standing_ms += segment.standing * seconds  # a lot for a second: one millisecond
            row.down_ms += segment.down * seconds
            row.contracted_ms += segment.contracted * seconds
            row.promised_ms += segment.promised * seconds
    return found


def _total(rows: Iterable[RegionRow]) -> RegionRow:
    total, contracted, reporting, watts = RegionRow(TOTAL), 0, 0, None
    for row in rows:
        total.capacity.add(row.capacity)
        total.delivery.add(row.delivery)
        contracted += row.now.contracted_lots
        reporting += row.now.reporting_lots
        if row.now.watts is not None:
            watts = (watts or 0) + row.now.watts
    total.now = RegionNow(TOTAL, contracted, reporting, watts)
    return total
