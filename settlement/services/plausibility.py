"""Whether a reading can be true, given what the same meter said about the same device before.

Pure: counters against the clock, in the order in which the events came. Counters never go back
within a boot, grow no faster than the clock times the device's capacity, and count no more energy
than the chips can use (settlement.md, section 3).
"""

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple

from settlement.services.reading_events import BadEvent, Report

SLACK_US = 50_000
"""Counters and clocks are read one after the other."""
WATTS_FACTOR = 2
"""A chip's share of its machine may use up to twice the chip's nominal watts."""
BOOT_MAX_US = 10 * 31_557_600 * 1_000_000
"""No machine runs for longer than ten years without a reboot."""
_by_end = attrgetter("ends_us")


class Point(NamedTuple):
    """Where a device's counters stood at ``ends_us``; a report says the same and more."""

    seq: int
    starts_us: int
    ends_us: int
    accel_ms: int
    energy_mj: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a device can do: accelerators x 1,000, and nominal watts of each x 1,000,000."""

    capacity_lots: int
    watts_micros: int


@dataclass(slots=True)
class Boot:
    """The known points of one stream around those to be judged, in order of time.

    ``first_us`` and ``last_us`` are the ends of the whole stream, known or not.
    """

    points: list[Point | Report] = field(default_factory=list)
    first_us: int | None = None
    last_us: int | None = None

    def place_of(self, ends_us: int) -> int:
        """Return how many of the known points ended until ``ends_us``; mostly all of them."""
        if self.points and self.points[-1].ends_us <= ends_us:
            return len(self.points)
        return bisect(self.points, ends_us, key=_by_end)

    def add(self, point: Point | Report) -> None:
        """Remember an accepted point."""
        self.points.insert(self.place_of(point.ends_us), point)
        if self.first_us is None or point.starts_us < self.first_us:
            self.first_us = point.starts_us
        if self.last_us is None or point.ends_us > self.last_us:
            self.last_us = point.ends_us


def judge(point: Point | Report, boot: Boot, others: Iterable[Boot], claim: Claim) -> None:
    """Raise BadEvent if ``point`` cannot be true beside its own boot and the device's others."""
    place = boot.place_of(point.ends_us)
    if place:
        _check_step(boot.points[place - 1], point, claim)
    if place < len(boot.points):
        _check_step(point, boot.points[place], claim)
    if not place:
        _check_beginning(point, others, claim)


def _check_step(before: Point | Report, after: Point | Report, claim: Claim) -> None:
    if after.seq <= before.seq:
        raise BadEvent("seq_out_of_order", "/data/seq", "numbers rise with time within a boot")
    if after.starts_us < before.ends_us:
        raise BadEvent("period_overlaps", "/data/period_start", "overlaps another reading")
    if after.accel_ms < before.accel_ms:
        raise BadEvent("counter_backwards", "/data/accel_ms_total", "a counter never goes back")
    elapsed = after.ends_us - before.ends_us
    _check_growth(after.accel_ms - before.accel_ms, elapsed, claim)
    if after.energy_mj is not None and before.energy_mj is not None:
        _check_energy(after.energy_mj - before.energy_mj, elapsed, claim)


def _check_growth(accel_ms: int, elapsed_us: int, claim: Claim) -> None:
    if accel_ms * 1_000_000 > claim.capacity_lots * (elapsed_us + SLACK_US):
        raise BadEvent(
            "counter_outruns_clock", "/data/accel_ms_total", "more than the device can deliver"
        )


def _check_energy(energy_mj: int, elapsed_us: int, claim: Claim) -> None:
    if energy_mj < 0:
        raise BadEvent("counter_backwards", "/data/energy_mj_total", "a counter never goes back")
    # lots/1e3 x watts/1e6 x microseconds/1e6 seconds, in millijoules
    most = WATTS_FACTOR * claim.capacity_lots * claim.watts_micros * (elapsed_us + SLACK_US)
    if energy_mj * 10**12 > most:
        raise BadEvent(
            "energy_outruns_watts", "/data/energy_mj_total", "more than the chips can use"
        )


def _check_beginning(point: Point | Report, others: Iterable[Boot], claim: Claim) -> None:
    """Hold the earliest point of a boot against the device's other boots."""
    _check_growth(point.accel_ms, BOOT_MAX_US, claim)
    for other in others:
        if other.first_us is None or other.last_us is None:
            continue
        if point.starts_us < other.last_us and other.first_us < point.ends_us:
            raise BadEvent("boot_overlaps", "/data/boot_id", "the device ran another boot then")
        if other.last_us <= point.starts_us:
            _check_growth(point.accel_ms, point.ends_us - other.last_us, claim)
