"""Simulated devices: when each was up, and what it truly delivered.

Pure, and the same for every meter that watches a device: all follows from the device's name and a
seed. What meters say of it is ``simulation``'s.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

PPM = 1_000_000
REBOOT = timedelta(minutes=2)
WARM_UP = timedelta(minutes=2)
"""Devices are up before their contract begins, and a little longer than it lasts."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A device that serves a contract from ``starts_at`` until ``ends_at``, and its meter."""

    meter: str
    device: str
    contract: str
    starts_at: datetime
    ends_at: datetime
    capacity_lots: int
    watts_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How devices, meters and the network behave; shares in ppm, of readings or of the time.

    ``loss_ppm`` of the readings never come. An agent keeps some until they are acknowledged: the
    first after a boot, the last before one, and the one that ends a delivery period; of these the
    same share comes late, by up to ``late``. ``conflict_ppm`` come once more under the same id
    with another counter. ``reboot_ppm`` is the chance of a reboot per reading, ``shortfall_ppm``
    what a device does not deliver though it is up, ``lie_ppm`` by how much a meter says more (or,
    below nothing, less) than that, ``skew_max`` how far a meter's clock is off at most.
    """

    every: timedelta = timedelta(minutes=5)
    period: timedelta = timedelta(hours=1)
    loss_ppm: int = 0
    late: timedelta = timedelta()
    repeat_ppm: int = 0
    conflict_ppm: int = 0
    reorder: bool = False
    reboot_ppm: int = 0
    shortfall_ppm: int = 0
    load_ppm: int = 800_000
    lie_ppm: int = 0
    skew_max: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Boot:
    """A device was up from one moment until another, by the true clock."""

    boot_id: UUID
    up: datetime
    down: datetime


def boots_of(watched: Watched, conduct: Conduct, *, seed: int) -> Iterator[Boot]:
    """Yield the device's boots around its contract's time."""
    rng = random.Random(f"{seed}/{watched.device}")  # noqa: S311
    up, end = watched.starts_at - WARM_UP, watched.ends_at + WARM_UP
    while up < end:
        down = _down_after(up, end, conduct, rng)
        yield Boot(UUID(int=rng.getrandbits(128), version=4), up, down)
        up = down + REBOOT


def delivered_ms(
    watched: Watched, conduct: Conduct, starts_at: datetime, ends_at: datetime, *, seed: int
) -> int:
    """Return what the device truly delivered in a time, in accelerator-milliseconds."""
    return grown_ms(watched, conduct, up_in(watched, conduct, starts_at, ends_at, seed=seed))


def up_in(
    watched: Watched, conduct: Conduct, starts_at: datetime, ends_at: datetime, *, seed: int
) -> timedelta:
    """Return for how much of a time the device was up."""
    ups = (
        min(boot.down, ends_at) - max(boot.up, starts_at)
        for boot in boots_of(watched, conduct, seed=seed)
    )
    return sum((up for up in ups if up > timedelta()), timedelta())


def grown_ms(watched: Watched, conduct: Conduct, up: timedelta) -> int:
    """Return how far the device's true counter gets in so much time, rounded down."""
    there_ppm = PPM - conduct.shortfall_ppm
    return watched.capacity_lots * (up // _MILLISECOND) * there_ppm // (1_000 * PPM)


def told_ms(watched: Watched, conduct: Conduct, up: timedelta) -> int:
    """Return where a meter says the counter is: a liar keeps to what the clock allows."""
    told = grown_ms(watched, conduct, up) * (PPM + conduct.lie_ppm) // PPM
    return min(told, watched.capacity_lots * (up // _MILLISECOND) // 1_000)


def _down_after(up: datetime, end: datetime, conduct: Conduct, rng: random.Random) -> datetime:
    at = up
    while (at := at + conduct.every) < end:
        if rng.randrange(PPM) < conduct.reboot_ppm:
            down = at - rng.randrange(max(1, conduct.every // _SECOND)) * _SECOND
            if down > up and not _is_near_an_end(down, conduct):
                return down
    return end


def _is_near_an_end(down: datetime, conduct: Conduct) -> bool:
    """Return whether a reboot would reach where clocks that are off see another period.

    There two clocks cannot agree on what belongs to which hour, and no rule could be exact.
    """
    off = conduct.skew_max
    first, last = down - off - EPOCH, down + REBOOT + off - EPOCH
    return bool(off) and first // conduct.period != last // conduct.period
