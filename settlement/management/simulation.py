"""Meters as they are in the field: they count, lose, repeat, shuffle and reboot.

Pure: from the devices' assignments to batches of CloudEvents, with a random generator handed in.
What a device delivers is stated by ``Conduct``; the readings only report it, so whatever is lost
on the way, the counters of the next reading make up for it.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

BATCH = 500
REBOOT = timedelta(minutes=2)
_MILLISECOND = timedelta(milliseconds=1)
PPM = 1_000_000


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
    """How devices and the network behave; shares in ppm, of readings or of the time.

    The reading that ends a delivery period or comes before a reboot is never lost: agents spool.
    """

    every: timedelta = timedelta(minutes=5)
    period: timedelta = timedelta(hours=1)
    loss_ppm: int = 0
    repeat_ppm: int = 0
    reorder: bool = False
    reboot_ppm: int = 0
    shortfall_ppm: int = 0
    load_ppm: int = 800_000


def readings_of(
    watched: Watched, conduct: Conduct, *, until: datetime, rng: random.Random
) -> list[dict[str, Any]]:
    """Return the events of one device up to ``until``, as they arrive.

    The events follow from the device and the generator's seed alone, whatever ``until`` is: a
    second, longer play repeats the first one's and goes on.
    """
    counted = list(_counted(watched, conduct, until, rng))
    sent = [event for event, must_arrive in counted if must_arrive or _arrives(conduct, rng)]
    sent += [event for event in sent if rng.randrange(PPM) < conduct.repeat_ppm]
    if conduct.reorder:
        rng.shuffle(sent)
    return sent


def batches_of(
    fleet: Iterable[Watched],
    conducts: Mapping[str, Conduct],
    *,
    until: datetime,
    seed: int = 1,
    usual: Conduct = Conduct(),  # frozen
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield (meter, events) in batches; ``conducts`` names contracts that behave otherwise."""
    waiting: dict[str, list[dict[str, Any]]] = {}
    for watched in fleet:
        rng = random.Random(f"{seed}/{watched.device}")  # noqa: S311
        conduct = conducts.get(watched.contract, usual)
        events = waiting.setdefault(watched.meter, [])
        events += readings_of(watched, conduct, until=until, rng=rng)
        while len(events) >= BATCH:
            yield watched.meter, events[:BATCH]
            del events[:BATCH]
    for meter, events in waiting.items():
        if events:
            yield meter, events


def _counted(
    watched: Watched, conduct: Conduct, until: datetime, rng: random.Random
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield every reading that the agent takes, in order, and whether it is sent until it arrives.

    Agents keep on disk what they counted last before a period ended or the device went down.
    """
    boot, seq, accel_ms, energy_mj = _booted(rng)
    at = watched.starts_at
    while (end := min(at + conduct.every, watched.ends_at)) <= until and at < end:
        grown = _delivered_ms(watched, conduct, end - at)
        seq, accel_ms = seq + 1, accel_ms + grown
        energy_mj += grown * watched.watts_micros * conduct.load_ppm // PPM**2
        counters = {
            "boot_id": str(boot),
            "seq": seq,
            "period_start": at.isoformat(),
            "period_end": end.isoformat(),
            "accel_ms_total": accel_ms,
            "energy_mj_total": energy_mj,
            "util_ppm": conduct.load_ppm,
        }
        goes_down = rng.randrange(PPM) < conduct.reboot_ppm
        yield _event(watched, counters), goes_down or _ends_period(end, conduct)
        at = end
        if goes_down:
            boot, seq, accel_ms, energy_mj = _booted(rng)
            at += REBOOT


def _booted(rng: random.Random) -> tuple[UUID, int, int, int]:
    return UUID(int=rng.getrandbits(128), version=4), 0, 0, 0


def _delivered_ms(watched: Watched, conduct: Conduct, length: timedelta) -> int:
    there_ppm = PPM - conduct.shortfall_ppm
    return watched.capacity_lots * (length // _MILLISECOND) * there_ppm // (1_000 * PPM)


def _event(watched: Watched, counters: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{watched.device}/{counters['boot_id']}/{counters['seq']}",
        "source": watched.meter,
        "type": "compute.reading.v1",
        "subject": f"{watched.contract}/{watched.device}",
        "datacontenttype": "application/json",
        "data": counters,
    }


def _ends_period(end: datetime, conduct: Conduct) -> bool:
    return not (end - datetime.fromtimestamp(0, end.tzinfo)) % conduct.period


def _arrives(conduct: Conduct, rng: random.Random) -> bool:
    return rng.randrange(PPM) >= conduct.loss_ppm
