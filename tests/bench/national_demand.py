"""The bids of a national day: hourly inference and spot work, training jobs, batches of work."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import Flags, Floats, Ints
from exchange.engine.csv_text import Bytes
from exchange.engine.decimals import format_normal
from tests.bench.national_facts import (
    ALTERNATIVES,
    BATCH,
    BOUND_TO_REGIONS,
    CHIPS,
    GREEN,
    GREEN_FLOORS,
    HOURS,
    HUBS,
    LARGE,
    LENGTHS,
    PERIODS,
    SLACKS,
    TENTH,
    TRAINING,
    TUNING,
    VALUE_SPREAD,
    Size,
    Work,
)
from tests.bench.national_network import names_column, near_regions
from tests.bench.philly import draw_jobs


@dataclass(frozen=True, slots=True)
class Demand:
    """Bids as arrays, in lots, ticks and periods; ``work`` is the row of the size's works."""

    kind: Bytes
    work: Ints
    origin: Ints
    lots: Ints
    first: Ints
    end: Ints
    duration: Ints
    volume: Ints
    group: Bytes


def draw_demand(rng: np.random.Generator, size: Size) -> Demand:
    """Draw the hourly bids, then the blocks, then the volume bids."""
    parts = [_draw_hourly(rng, size), _draw_blocks(rng, size), _draw_volumes(rng, size)]
    return Demand(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Demand.__slots__)
    )


def _draw_origins(rng: np.random.Generator, count: int) -> Ints:
    return rng.choice(len(HUBS), size=count, p=shares_of([hub.buyers for hub in HUBS]))


def _draw_works(rng: np.random.Generator, size: Size, among: tuple[Work, ...], count: int) -> Ints:
    rows = np.array([size.works.index(work) for work in among], dtype=np.int64)
    return rows[rng.choice(len(rows), size=count, p=shares_of([work.weight for work in among]))]


def _draw_hourly(rng: np.random.Generator, size: Size) -> Demand:
    count = size.hourly
    first = rng.choice(PERIODS, size=count, p=shares_of(HOURS))
    length = np.ones(count, dtype=np.int64) if size.plain else pick(rng, LENGTHS, count)
    tenths = np.clip(np.rint(np.exp(rng.normal(0.5, 1.0, size=count)) * 10), 1, 5_000)
    return Demand(
        kind=np.full(count, b"hourly"),
        work=_draw_works(rng, size, size.works, count),
        origin=_draw_origins(rng, count),
        lots=tenths.astype(np.int64) * TENTH,
        first=first,
        end=np.minimum(first + length, PERIODS),
        duration=np.zeros(count, dtype=np.int64),
        volume=np.zeros(count, dtype=np.int64),
        group=np.zeros(count, dtype="S9"),
    )


def _draw_blocks(rng: np.random.Generator, size: Size) -> Demand:
    alternatives = 0 if size.plain else int(size.blocks * ALTERNATIVES)
    jobs = size.blocks - alternatives
    gpus, hours = draw_jobs(rng, jobs)
    among = size.works if size.plain else TRAINING
    work, origin = _draw_works(rng, size, among, jobs), _draw_origins(rng, jobs)
    first = np.minimum(rng.choice(PERIODS, size=jobs, p=shares_of(HOURS)), PERIODS - hours)
    end = np.minimum(first + hours + pick(rng, SLACKS, jobs), PERIODS)
    halved = np.flatnonzero((gpus % 2 == 0) & (2 * hours <= PERIODS))[:alternatives]
    halved = np.append(halved, np.arange(alternatives - len(halved)))  # none to spare: as it is
    twice = np.where(gpus[halved] % 2 == 0, 2, 1)
    row = np.concatenate([np.arange(jobs), halved])
    duration = np.concatenate([hours, np.minimum(hours[halved] * twice, PERIODS)])
    group = np.zeros(size.blocks, dtype="S9")
    group[halved] = group[jobs:] = numbered("g", alternatives)
    first = np.minimum(first[row], PERIODS - duration)
    return Demand(
        kind=np.full(size.blocks, b"block"),
        work=work[row],
        origin=origin[row],
        lots=np.concatenate([gpus, gpus[halved] // twice]) * 1_000,
        first=first,
        end=np.maximum(end[row], first + duration),
        duration=duration,
        volume=np.zeros(size.blocks, dtype=np.int64),
        group=group,
    )


def _draw_volumes(rng: np.random.Generator, size: Size) -> Demand:
    count = size.volumes
    lots = rng.integers(1, 33, size=count) * 1_000
    first = rng.integers(0, 12, size=count)
    end = np.minimum(first + rng.integers(6, 25, size=count), PERIODS)
    hours = np.maximum(1, np.rint((end - first) * rng.uniform(0.2, 0.9, size=count)))
    among = size.works if size.plain else (TUNING, BATCH, LARGE)
    return Demand(
        kind=np.full(count, b"volume"),
        work=_draw_works(rng, size, among, count),
        origin=_draw_origins(rng, count),
        lots=lots,
        first=first,
        end=end,
        duration=np.zeros(count, dtype=np.int64),
        volume=lots * hours.astype(np.int64),
        group=np.zeros(count, dtype="S9"),
    )


def bid_tables(
    rng: np.random.Generator, size: Size, demand: Demand
) -> tuple[dict[str, Bytes], dict[str, Bytes]]:
    """Give the bids and their acceptable accelerators, with limits and rules drawn."""
    count = len(demand.kind)
    names = numbered("b", count)
    bound, gbps = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    unit_price = np.zeros(count)
    for row, work in enumerate(size.works):
        mine = np.flatnonzero(demand.work == row)
        near = tuple(zip((5, 10, 0), work.near, strict=True))
        bound[mine] = pick(rng, near, len(mine))
        gbps[mine] = rng.choice(np.rint(np.array(work.gbps) * 1e6), size=len(mine))
        unit_price[mine] = _unit_price(work)
    spread = np.exp(rng.normal(0.0, VALUE_SPREAD, size=count))
    ticks = np.clip(np.rint(unit_price * spread * 1_000), 1, 300_000).astype(np.int64)
    listed, green = _draw_rules(rng, size, demand.origin)
    regions = near_regions()
    bids = {
        "bid": names,
        "kind": demand.kind,
        "origin": names_column([hub.name for hub in HUBS])[demand.origin],
        "quantity": format_normal(demand.lots, 3),
        "price": format_normal(ticks, 3),
        "first": format_normal(demand.first, 0),
        "end": format_normal(demand.end, 0),
        "duration": _blank_zero(demand.duration, 0),
        "volume": _blank_zero(demand.volume, 3),
        "max_latency_ms": _blank_zero(bound, 0),
        "gbps": format_normal(gbps, 6),
        "group": demand.group,
        "regions": np.where(listed, regions[demand.origin], np.bytes_(b"")),
        "renewable_min": _blank_zero(green, 6),
    }
    return bids, _choice_table(size, demand.work, names)


def _unit_price(work: Work) -> float:
    price = {chip.name: chip.price for chip in CHIPS}
    return min(price[chip] * factor for chip, factor in work.factors.items())


def _draw_rules(rng: np.random.Generator, size: Size, origin: Ints) -> tuple[Flags, Ints]:
    count = len(origin)
    kind = rng.random(count)
    listed = kind < BOUND_TO_REGIONS
    green = (kind >= BOUND_TO_REGIONS) & (kind < BOUND_TO_REGIONS + GREEN)
    floors = rng.choice(np.rint(np.array(GREEN_FLOORS) * 1e6), size=count).astype(np.int64)
    if size.plain:
        return np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int64)
    return listed, np.where(green, floors, 0)


def _blank_zero(values: Ints, places: int) -> Bytes:
    return np.where(values > 0, format_normal(values, places), np.bytes_(b""))


def _choice_table(size: Size, works: Ints, names: Bytes) -> dict[str, Bytes]:
    rows, chips, factors = [], [], []
    for number, work in enumerate(size.works):
        mine = np.flatnonzero(works == number)
        for chip, factor in work.factors.items():
            rows.append(mine)
            chips.append(np.full(len(mine), chip.encode()))
            factors.append(np.full(len(mine), f"{factor:g}".encode()))
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    return {
        "bid": names[row[order]],
        "accelerator": np.concatenate(chips)[order],
        "factor": np.concatenate(factors)[order],
    }


def unit_hours(demand: Demand) -> Floats:
    """Give the unit-hours that each bid asks for at most."""
    length = np.where(demand.duration > 0, demand.duration, demand.end - demand.first)
    return np.where(demand.volume > 0, demand.volume, demand.lots * length) / 1_000


def numbered(letter: str, count: int) -> Bytes:
    """Give names in their order: a letter and seven digits."""
    digits = np.char.mod(f"{letter}%07d", np.arange(count))
    return np.asarray(np.char.encode(digits, "ascii"), dtype=np.bytes_)


def pick(rng: np.random.Generator, options: Sequence[tuple[int, float]], count: int) -> Ints:
    """Draw values with weights."""
    values = np.array([value for value, _ in options], dtype=np.int64)
    weights = np.array([weight for _, weight in options])
    return values[rng.choice(len(values), size=count, p=weights / weights.sum())]


def shares_of(weights: Sequence[float]) -> Floats:
    """Make weights add up to one."""
    array = np.array(weights, dtype=np.float64)
    return np.asarray(array / array.sum())
