"""Jobs of a real cluster, as bids of the three kinds."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from exchange.management.traces import assumptions as assumed
from exchange.management.traces.drafts import BidDraft, draw, on_tick
from exchange.management.traces.places import HUBS, Places, listed_price
from exchange.management.traces.sources import Job, Prices


def draft_demand(
    jobs: Sequence[Job],
    *,
    prices: Prices,
    tflops: Mapping[str, float],
    seed: int,
    groups: bool,
    places: Places = HUBS,
) -> list[BidDraft]:
    """Return the bids of the jobs; with ``groups`` some are elastic, choosy or green."""
    bids: list[BidDraft] = []
    for job in jobs:
        if job.gpus * job.hours < assumed.SMALLEST_JOB_GPU_HOURS:
            continue
        bid = _bid(job, prices=prices, tflops=tflops, seed=seed, places=places)
        bids += _with_rules(bid, draw("rules", seed, job.row)) if groups else [bid]
    return bids


def _bid(
    job: Job, *, prices: Prices, tflops: Mapping[str, float], seed: int, places: Places
) -> BidDraft:
    chance = draw("bid", seed, job.row)
    best_effort = chance.random() < assumed.BEST_EFFORT_SHARE
    big = job.gpus >= assumed.GANG_SIZE_MIN or chance.random() < assumed.SINGLE_GPU_ON_BIG_CHIP
    chip = "a100-sxm4-80gb" if big else "a10-24gb"
    hours = min(assumed.PERIODS, max(1, math.ceil(job.hours)))
    kind = _kind(job.gpus, hours, best_effort=best_effort)
    origin = places.origin_of(job.tenant)
    first = max(0, min(job.submitted_hour, assumed.PERIODS - hours))
    end = first + hours + _slack(chance, best_effort=best_effort)
    return BidDraft(
        name=f"j{job.row:06d}",
        tenant=job.tenant,
        kind=kind,
        origin=origin,
        quantity=job.gpus,
        price=on_tick(
            _limit(
                chance,
                chip,
                listed=listed_price(prices, chip, origin, places),
                ratios=prices.spot_ratios,
                best_effort=best_effort,
            )
        ),
        first=first,
        end=first + 1 if kind == "hourly" else min(assumed.PERIODS, end),
        duration=hours if kind == "block" else None,
        volume=job.gpus * hours if kind == "volume" else None,
        latency_ms_max=None if best_effort else chance.choice(assumed.LATENCY_MS_MAX),
        gbps=chance.choice(assumed.GBPS),
        group=None,
        regions=(),
        renewable_min=None,
        choices=tuple(_choices(chance, chip, tflops)),
    )


def _kind(gpus: int, hours: int, *, best_effort: bool) -> str:
    small = gpus < assumed.GANG_SIZE_MIN
    if small and hours == 1:
        return "hourly"
    return "volume" if small and best_effort else "block"


def _slack(chance: random.Random, *, best_effort: bool) -> int:
    level = chance.random()
    if best_effort:
        return assumed.PERIODS
    return next(hours for share, hours in assumed.SLACK_HOURS if level <= share)


def _limit(
    chance: random.Random,
    chip: str,
    *,
    listed: float,
    ratios: Mapping[str, list[float]],
    best_effort: bool,
) -> float:
    if not best_effort:
        return listed
    ratio = chance.choice(ratios[assumed.PRICED_AS[chip]])
    return listed * min(1.0, ratio * assumed.BEST_EFFORT_PREMIUM)


def _choices(
    chance: random.Random, first: str, tflops: Mapping[str, float]
) -> Iterator[tuple[str, Decimal]]:
    yield first, Decimal(1)
    for chip in dict.fromkeys((assumed.DOMESTIC_TWIN[first], "a100-sxm4-80gb")):
        if chip != first and chance.random() < assumed.OTHER_CHIP_ACCEPTED:
            factor = max(assumed.FACTOR_MIN, tflops[first] / tflops[chip])
            yield chip, Decimal(f"{factor:.3f}")


def _with_rules(bid: BidDraft, chance: random.Random) -> list[BidDraft]:
    """Return the bid, perhaps bound to regions or green sites, and perhaps a slower twin of it."""
    if chance.random() < assumed.NAMES_REGIONS_SHARE:
        others = chance.sample(sorted(assumed.SITE_WEIGHTS), assumed.REGIONS_NAMED)
        bid = replace(bid, regions=tuple(sorted({bid.origin, *others})))
    if chance.random() < assumed.GREEN_SHARE:
        bid = replace(bid, renewable_min=assumed.GREEN_MIN)
    hours = 2 * (bid.duration or assumed.PERIODS)
    elastic = bid.quantity >= assumed.GANG_SIZE_MIN and hours <= assumed.PERIODS
    if not (elastic and chance.random() < assumed.ELASTIC_SHARE):
        return [bid]
    first = min(bid.first, assumed.PERIODS - hours)
    bid = replace(bid, group=f"g{bid.name[1:]}")
    slower = replace(
        bid,
        name=f"{bid.name}h",
        quantity=bid.quantity // 2,
        first=first,
        end=max(bid.end, min(assumed.PERIODS, first + hours)),
        duration=hours,
    )
    return [bid, slower]
