"""Meters as they are in the field: they count, lose, repeat, contradict, shuffle, and lie.

Pure: from the devices that they watch to CloudEvents, all of it from a seed. What a device delivers
is stated by ``devices``; the readings only report it, so whatever is lost on the way, the counters
of the next reading make up for it.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from settlement.management.devices import (
    EPOCH,
    PPM,
    Boot,
    Conduct,
    Watched,
    boots_of,
    grown_ms,
    told_ms,
)

__all__ = [
    "BATCH",
    "PPM",
    "Arrival",
    "Conduct",
    "Event",
    "Line",
    "Watched",
    "arrivals_of",
    "batched",
    "batches_of",
    "in_order",
    "lines_of",
    "readings_of",
]

BATCH = 500
USUAL = Conduct()
_MILLISECOND = timedelta(milliseconds=1)
Event = dict[str, Any]


class Arrival(NamedTuple):
    """An event on its way: when it was taken, when it arrives, its place among what comes then."""

    taken_at: datetime
    at: datetime
    place: float
    event: Event


def arrivals_of(watched: Watched, conduct: Conduct, *, seed: int = 1) -> Iterator[Arrival]:
    """Yield every event of one device that arrives, in the order of its readings."""
    network = random.Random(f"{seed}/{watched.meter}/{watched.device}")  # noqa: S311
    skew = _skew_of(watched.meter, conduct, seed)
    for boot in boots_of(watched, conduct, seed=seed):
        for event, taken_at, is_kept in _taken(watched, conduct, boot, skew):
            yield from _sent(event, taken_at, conduct, network, is_kept=is_kept)


@dataclass(slots=True)
class Line:
    """From a meter on a device to the exchange: what was taken, and has not arrived yet."""

    watched: Watched
    conduct: Conduct
    coming: Iterator[Arrival]
    waiting: list[Arrival] = field(default_factory=list)

    def arrived(self, until: datetime) -> list[Arrival]:
        """Return what arrives up to ``until`` and was not returned before."""
        while not self.waiting or self.waiting[-1].taken_at <= until:
            following = next(self.coming, None)
            if following is None:
                break
            self.waiting.append(following)
        here = [each for each in self.waiting if each.at <= until]
        self.waiting = [each for each in self.waiting if each.at > until]
        return here


def lines_of(watches: Iterable[tuple[Watched, Conduct]], *, seed: int) -> Iterator[Line]:
    """Yield a line for each watched device."""
    for watched, conduct in watches:
        yield Line(watched, conduct, arrivals_of(watched, conduct, seed=seed))


def readings_of(
    watched: Watched, conduct: Conduct, *, until: datetime, seed: int = 1
) -> list[Event]:
    """Return the events of one device that arrive up to ``until``, as they arrive.

    A second, longer play repeats the first one's events and goes on.
    """
    return in_order(Line(watched, conduct, arrivals_of(watched, conduct, seed=seed)).arrived(until))


def in_order(arrivals: Iterable[Arrival]) -> list[Event]:
    """Return events as they arrive at one knock."""
    return [each.event for each in sorted(arrivals, key=lambda each: each.place)]


def batched(events: list[Event]) -> Iterator[list[Event]]:
    """Yield events in batches that the door takes."""
    for first in range(0, len(events), BATCH):
        yield events[first : first + BATCH]


def batches_of(
    fleet: Iterable[Watched],
    *,
    until: datetime,
    seed: int = 1,
    conduct: Conduct = USUAL,
) -> Iterator[tuple[str, list[Event]]]:
    """Yield (meter, events) in batches, for devices that all behave alike."""
    waiting: dict[str, list[Event]] = {}
    for watched in fleet:
        events = readings_of(watched, conduct, until=until, seed=seed)
        waiting.setdefault(watched.meter, []).extend(events)
    for meter, events in waiting.items():
        for batch in batched(events):
            yield meter, batch


def _skew_of(meter: str, conduct: Conduct, seed: int) -> timedelta:
    """Return how far this meter's clock is ahead: one meter, one clock."""
    most = conduct.skew_max // _MILLISECOND
    return random.Random(f"{seed}/{meter}").randint(-most, most) * _MILLISECOND  # noqa: S311


def _taken(
    watched: Watched, conduct: Conduct, boot: Boot, skew: timedelta
) -> Iterator[tuple[Event, datetime, bool]]:
    """Yield the readings of one boot, when each was taken, and whether the agent keeps it.

    Stamped by the meter's clock; what ends before the contract begins is not its business, and
    what stands when it begins is where its counting starts.
    """
    up, down = boot.up + skew, min(boot.down + skew, watched.ends_at)
    at, seq = up, 0
    while at < down:
        starts_at, at = at, min(_next_on_the_clock(at, conduct.every), down)
        if at < watched.starts_at:
            continue
        seq += 1
        counters = _counters(watched, conduct, at - up) | {
            "boot_id": str(boot.boot_id),
            "seq": seq,
            "period_start": starts_at.isoformat(),
            "period_end": at.isoformat(),
        }
        is_kept = seq == 1 or at == down or not (at - EPOCH) % conduct.period
        yield _event(watched, counters), at - skew, is_kept


def _sent(
    event: Event, taken_at: datetime, conduct: Conduct, network: random.Random, *, is_kept: bool
) -> Iterator[Arrival]:
    """Yield how often, when and in which order a reading arrives, if at all."""
    is_lost = network.randrange(PPM) < conduct.loss_ppm
    delay, place, again, other = (network.random() for _ in range(4))
    if is_lost and not is_kept:
        return
    at = taken_at + delay * conduct.late if is_lost else taken_at
    place *= conduct.reorder
    yield Arrival(taken_at, at, place, event)
    if again * PPM < conduct.repeat_ppm:
        yield Arrival(taken_at, at, again if conduct.reorder else 0, event)
    if other * PPM < conduct.conflict_ppm:  # never before what it contradicts
        yield Arrival(taken_at, at, place + 1, _contradicted(event))


def _contradicted(event: Event) -> Event:
    """Return the event with another counter under the same id."""
    return event | {"data": event["data"] | {"accel_ms_total": event["data"]["accel_ms_total"] + 1}}


def _counters(watched: Watched, conduct: Conduct, up: timedelta) -> dict[str, Any]:
    used = watched.watts_micros * conduct.load_ppm
    return {
        "accel_ms_total": told_ms(watched, conduct, up),
        "energy_mj_total": grown_ms(watched, conduct, up) * used // PPM**2,
        "util_ppm": conduct.load_ppm,
    }


def _event(watched: Watched, counters: dict[str, Any]) -> Event:
    return {
        "specversion": "1.0",
        "id": f"{watched.device}/{counters['boot_id']}/{counters['seq']}",
        "source": watched.meter,
        "type": "compute.reading.v1",
        "subject": f"{watched.contract}/{watched.device}",
        "datacontenttype": "application/json",
        "data": counters,
    }


def _next_on_the_clock(at: datetime, every: timedelta) -> datetime:
    return at + every - (at - EPOCH) % every
