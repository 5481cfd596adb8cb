"""Counts how long a device was there, and cuts readings out of that. Pure; times in milliseconds.

Between two looks at a device a chip counts if it was there both times and they are not too far
apart. Counters only grow, and go on after a restart, since they are kept on disk: a boot of the
agent's, as the exchange sees it, ends only when its spool is lost.

A reading is cut when the clock strikes (every five minutes, say), when a contract begins or ends,
and on both sides of a time in which nobody looked: what the exchange takes for even growth between
two readings then is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from settlement.meter_agent.exporters import Chip

LOTS = 1_000  # of one accelerator


@dataclass(frozen=True, slots=True)
class Assignment:
    """A contract that a device serves for a time."""

    contract: str
    starts_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Device:
    """What the exchange calls a device, how large it is, and what it serves."""

    id: str
    serial: str
    capacity_lots: int
    assignments: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """Where a device's counters stand; ``lots_ms`` is accelerator-milliseconds x 1,000."""

    boot_id: str
    at_ms: int
    cut_ms: int
    seq: int = 0
    lots_ms: int = 0
    energy_mj: int = 0
    util_ppm_ms: int = 0  # since the last cut
    util_ms: int = 0
    chips: Mapping[str, Chip] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a device's chips at one moment."""

    at_ms: int
    chips: Mapping[str, Chip]
    expected: int  # how many chips the device has


@dataclass(frozen=True, slots=True)
class Pace:
    """How often readings are cut, and how far apart looks may be to count what lies between."""

    every_ms: int
    gap_max_ms: int


def advance(
    count: Count, look: Look, device: Device, pace: Pace
) -> tuple[Count, list[dict[str, Any]]]:
    """Return where the counters stand at ``look``, and the readings that are due, without ids.

    A look that is not later than the last one (a clock was set back) changes nothing.
    """
    if look.at_ms <= count.at_ms:
        return count, []
    grown = _grown(count, look, device, pace)
    readings, before = [], count
    for cut_ms in _cuts(count, look, device, pace):
        at_cut = _between(count, grown, cut_ms)
        contract = _served(device.assignments, before.cut_ms, cut_ms)
        if contract:
            at_cut = replace(at_cut, seq=before.seq + 1)
            readings.append(_reading(at_cut, (before.cut_ms, cut_ms), f"{contract}/{device.id}"))
        else:
            at_cut = replace(at_cut, seq=before.seq)
        before = replace(at_cut, cut_ms=cut_ms, util_ppm_ms=0, util_ms=0)
    used = (0, 0) if before is not count else (grown.util_ppm_ms, grown.util_ms)
    after = replace(
        grown, cut_ms=before.cut_ms, seq=before.seq, util_ppm_ms=used[0], util_ms=used[1]
    )
    return after, readings


def _grown(count: Count, look: Look, device: Device, pace: Pace) -> Count:
    """Return the counters at ``look``, with nothing cut yet."""
    elapsed = look.at_ms - count.at_ms
    there = count.chips.keys() & look.chips.keys() if elapsed <= pace.gap_max_ms else set()
    utils = [u for chip in there if (u := look.chips[chip].util_ppm) is not None]
    lots_ms = device.capacity_lots * elapsed * min(len(there), look.expected) // look.expected
    return replace(
        count,
        at_ms=look.at_ms,
        lots_ms=count.lots_ms + lots_ms,
        energy_mj=count.energy_mj
        + sum(_energy_mj(count.chips[chip], look.chips[chip], elapsed) for chip in there),
        util_ppm_ms=count.util_ppm_ms + (sum(utils) // len(utils) * elapsed if utils else 0),
        util_ms=count.util_ms + (elapsed if utils else 0),
        chips=look.chips,
    )


def _energy_mj(before: Chip, now: Chip, elapsed_ms: int) -> int:
    """Return what a chip used: by its counter, which begins again at nothing, or by its power."""
    if before.energy_mj is not None and now.energy_mj is not None:
        grown = now.energy_mj - before.energy_mj
        return grown if grown >= 0 else now.energy_mj
    return (now.power_mw or 0) * elapsed_ms // 1_000


def _cuts(count: Count, look: Look, device: Device, pace: Pace) -> Sequence[int]:
    if look.at_ms - count.at_ms > pace.gap_max_ms:
        return [at for at in (count.at_ms, look.at_ms) if at > count.cut_ms]
    first = count.at_ms // pace.every_ms + 1
    strokes = range(first * pace.every_ms, look.at_ms + 1, pace.every_ms)
    return sorted({*strokes, *_ends(device, count.at_ms, look.at_ms)})


def _ends(device: Device, after_ms: int, until_ms: int) -> Iterator[int]:
    for each in device.assignments:
        for at in (each.starts_ms, each.ends_ms):
            if after_ms < at <= until_ms:
                yield at


def _served(assignments: Sequence[Assignment], starts_ms: int, ends_ms: int) -> str:
    """Return the contract that a reading is for: one it overlaps, or else begins after it."""
    for each in assignments:
        if starts_ms < each.ends_ms and each.starts_ms < ends_ms:
            return each.contract
    return next((each.contract for each in assignments if each.starts_ms == ends_ms), "")


def _between(before: Count, after: Count, at_ms: int) -> Count:
    """Return the counters at a moment between two looks: they grow evenly."""
    since, span = at_ms - before.at_ms, after.at_ms - before.at_ms
    return replace(
        after,
        lots_ms=before.lots_ms + (after.lots_ms - before.lots_ms) * since // span,
        energy_mj=before.energy_mj + (after.energy_mj - before.energy_mj) * since // span,
    )


def _reading(count: Count, span: tuple[int, int], subject: str) -> dict[str, Any]:
    reading: dict[str, Any] = {
        "subject": subject,
        "boot_id": count.boot_id,
        "seq": count.seq,
        "starts_ms": span[0],
        "ends_ms": span[1],
        "accel_ms_total": count.lots_ms // LOTS,
        "energy_mj_total": count.energy_mj,
    }
    if count.util_ms:
        reading["util_ppm"] = count.util_ppm_ms // count.util_ms
    return reading
