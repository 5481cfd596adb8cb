"""One national day as an order book: a trace's jobs over provinces and sites."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from exchange.engine.book import Book
from exchange.foundation.money import MICROS
from exchange.management.simulation import assumptions as assumed
from exchange.management.simulation.provinces import Province
from exchange.management.simulation.valuations import value_bids
from exchange.management.traces.assumptions import PERIODS
from exchange.management.traces.book import Facts, Limits, build_book
from exchange.management.traces.demand import draft_demand
from exchange.management.traces.drafts import BidDraft, draw
from exchange.management.traces.places import Places, listed_price
from exchange.management.traces.sources import Job, Node, Prices
from exchange.management.traces.supply import draft_supply

_SEPARATOR = "/"


@dataclass(frozen=True, kw_only=True)
class Nation:
    """What all days have in common; ``jobs`` are those of each day of the trace, in its order."""

    provinces: Sequence[Province]
    chips: Mapping[str, Mapping[str, Any]]
    prices: Prices
    jobs: Sequence[Sequence[Job]]
    sites: int
    jobs_a_day: int
    first_day: date
    min_domestic_share: Decimal | None = None
    adequacy: float = assumed.ADEQUACY

    @property
    def places(self) -> Places:
        """Tenants are named after their province."""
        return Places(
            origin_of=lambda tenant: tenant.split(_SEPARATOR)[0],
            site_weights={one.code: one.sells for one in self.provinces},
            price_regions={one.code: one.prices for one in self.provinces},
        )

    @property
    def tflops(self) -> dict[str, float]:
        """TFLOPS by chip."""
        return {code: int(row["tflops"] or 0) / MICROS for code, row in self.chips.items()}


def draw_book(nation: Nation, *, day: int, seed: int, rule: str, start: datetime) -> Book:
    """Return the book of a day. The rule changes limits and nothing else."""
    drawn = f"{seed}/{day}"
    bids = draft_demand(
        list(_draw_jobs(nation, day, drawn)),
        prices=nation.prices,
        tflops=nation.tflops,
        seed=seed,
        groups=False,
        places=nation.places,
    )
    sites, offers = draft_supply(
        list(_draw_nodes(nation, bids, seed)),
        prices=nation.prices,
        tflops=nation.tflops,
        pue={one.code: one.pue for one in nation.provinces},
        seed=seed,
        share=1.0,
        nodes_per_provider=len(assumed.MODEL_OF),
        places=nation.places,
    )
    valued = value_bids(bids, rule=rule, seed=drawn, listed=lambda bid: _listed(nation, bid))
    return build_book(
        f"national-{rule}-{drawn.replace(_SEPARATOR, '-')}",
        start,
        facts=_facts(nation),
        sites=sites,
        offers=offers,
        bids=[_as_today(bid) for bid in valued],
        limits=Limits(
            link_gbps=_link_gbps(bids),
            power=assumed.POWER,
            min_domestic_share=nation.min_domestic_share,
        ),
    )


def _draw_jobs(nation: Nation, day: int, drawn: str) -> Iterator[Job]:
    """Draw jobs of a day of the trace, in its order, each from a province by its weight."""
    chance = draw("jobs", drawn)
    pool = nation.jobs[day % len(nation.jobs)]
    picked = sorted(chance.choices(range(len(pool)), k=nation.jobs_a_day))
    codes = [one.code for one in nation.provinces]
    origins = chance.choices(codes, [one.buys for one in nation.provinces], k=len(picked))
    for number, (row, origin) in enumerate(zip(picked, origins, strict=True)):
        yield replace(
            pool[row],
            row=day * nation.jobs_a_day + number,
            tenant=f"{origin}{_SEPARATOR}{pool[row].tenant}",
        )


def _draw_nodes(nation: Nation, bids: Sequence[BidDraft], seed: int) -> Iterator[Node]:
    """Give each site so many GPUs of each model that all together are as scarce as assumed."""
    chance = draw("sizes", seed)
    sizes = [chance.lognormvariate(0.0, assumed.SITE_SPREAD) for _ in range(nation.sites)]
    wanted: Counter[str] = Counter()
    for bid in bids:
        wanted[bid.choices[0][0]] += unit_hours(bid)
    whole = sum(sizes)
    rows = itertools.count()
    for size in sizes:
        for chip, model in assumed.MODEL_OF.items():
            gpus = wanted[chip] * assumed.GPUS_TODAY / PERIODS * nation.adequacy * size / whole
            yield Node(next(rows), model, max(1, round(gpus)))


def unit_hours(bid: BidDraft) -> int:
    """Return how many unit-hours a bid wants."""
    if bid.kind == "volume":
        assert bid.volume is not None
        return bid.volume
    return bid.quantity * (bid.duration or bid.end - bid.first)


def _as_today(bid: BidDraft) -> BidDraft:
    """Return a bid of the trace's time at the size that it stands for."""
    times = assumed.GPUS_TODAY
    volume = None if bid.volume is None else bid.volume * times
    return replace(bid, quantity=bid.quantity * times, volume=volume)


def _link_gbps(bids: Sequence[BidDraft]) -> Decimal:
    sent = sum(float(bid.gbps) * unit_hours(bid) for bid in bids) / PERIODS
    share = sent * assumed.GPUS_TODAY * assumed.LINK_SHARE
    return max(assumed.LINK_GBPS_MIN, Decimal(f"{share:.1f}"))


def _listed(nation: Nation, bid: BidDraft) -> float:
    return listed_price(nation.prices, bid.choices[0][0], bid.origin, nation.places)


def _facts(nation: Nation) -> Facts:
    regions = [
        {
            "code": one.code,
            "latitude": round(one.north * MICROS),
            "longitude": round(one.east * MICROS),
        }
        for one in nation.provinces
    ]
    return Facts(regions=regions, chips=nation.chips)
