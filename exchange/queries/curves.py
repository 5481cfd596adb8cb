"""Supply and demand in one region, for one accelerator, in one period: where the curves cross.

Regions are cleared together, so a bid that could run here may have been served elsewhere. The
demand of a region is therefore what its bids got here, and what they still wanted and could have
run here; each at the price per accelerator-hour at which it would buy here, the delivery paid.
Supply stands at the price at which each offer would sell here: its ask, the power of a used-up
budget and the policy's charge or credit included.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import (
    MICROS,
    NO_GROUP,
    UNLIMITED,
    BidKind,
    Book,
    Flags,
    Floats,
    Ints,
    Names,
)
from exchange.engine.outcome import NANOS, Clearing
from exchange.engine.reach import choice_bid, region_rule

STEPS_MAX = 120
TICKS_PER_UNIT = 1_000


@dataclass(frozen=True, slots=True)
class Step:
    """Lots at one price, and all lots at this price or a better one."""

    price_ticks: int
    lots: int
    total_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Both curves, the best prices first, and what was sold.

    ``price_ticks`` is the volume-weighted price of what was sold, None if nothing was.
    """

    supply: tuple[Step, ...]
    demand: tuple[Step, ...]
    sold_lots: int
    price_ticks: int | None


def curves_at(
    book: Book, clearing: Clearing, *, region: str, accelerator: str, period: int
) -> Curves:
    """Return the curves of one cell of the market; empty where nothing was offered or asked."""
    where, chip = _row_of(book.regions, region), _row_of(book.accelerators.names, accelerator)
    if where is None or chip is None or not 0 <= period < book.periods:
        return Curves(supply=(), demand=(), sold_lots=0, price_ticks=None)
    cell = _Cell(book, clearing, (where, chip, period))
    sold, price = cell.sold()
    return Curves(
        supply=_steps(*cell.supply(), rising=True),
        demand=_steps(*cell.demand(), rising=False),
        sold_lots=sold,
        price_ticks=price,
    )


class _Cell:
    """One region, accelerator and period of a cleared book."""

    def __init__(self, book: Book, clearing: Clearing, at: tuple[int, int, int]) -> None:
        self.book, self.clearing = book, clearing
        self.region, self.chip, self.period = at
        fills = clearing.bid_fills
        self.now = fills.period == self.period
        here = book.sites.region[fills.site] == self.region
        self.here = self.now & here & (fills.accelerator == self.chip)

    def sold(self) -> tuple[int, int | None]:
        """Return the lots that were sold here and their volume-weighted price in ticks."""
        fills, width = self.clearing.bid_fills, len(self.book.accelerators.names)
        site, accelerator = self.book.pairs
        rows = np.flatnonzero(self.here)
        keys = fills.site[rows] * width + fills.accelerator[rows]
        pair = np.searchsorted(site * width + accelerator, keys)
        lots = fills.quantity_lots[rows]
        total = int(lots.sum())
        paid = int((self.clearing.prices.cells_ticks[pair, self.period] * lots).sum())
        return total, round(paid / total) if total else None

    def supply(self) -> tuple[Floats, Ints]:
        """Return the price of each offer here and its lots."""
        book, offers = self.book, self.book.offers
        at = (book.sites.region[offers.site] == self.region) & (offers.accelerator == self.chip)
        rows = np.flatnonzero(at & (offers.first <= self.period) & (offers.end > self.period))
        watts = book.accelerators.watts_micros[self.chip] / MICROS
        kw = watts * book.sites.pue_micros[offers.site[rows]] / MICROS / 1_000
        power = self.clearing.prices.power_ticks[self.region, self.period] * kw
        return offers.price_ticks[rows] + power - self._policy_ticks(), offers.quantity_lots[rows]

    def _policy_ticks(self) -> float:
        """What the domestic share adds to a seller's price of one accelerator-hour here."""
        share = self.book.min_domestic_share_micros
        if share is None:
            return 0.0
        chips = self.book.accelerators
        tflops = chips.tflops_micros[self.chip] / MICROS
        per_tflops = self.clearing.prices.domestic_share_nanos / NANOS * TICKS_PER_UNIT
        return float(per_tflops * tflops * (int(chips.domestic[self.chip]) - share / MICROS))

    def demand(self) -> tuple[Floats, Ints]:
        """Return the price at which each bid would buy here, and the lots it got and wanted."""
        bids = self.book.bids
        rows = np.flatnonzero(bids.choice_accelerator == self.chip)
        bid = choice_bid(self.book)[rows]
        factor = bids.choice_factor_micros[rows]
        delivery = self._delivery(bid)
        can = np.isfinite(delivery) & self._may_run_here(bid)
        can &= (bids.first[bid] <= self.period) & (bids.end[bid] > self.period)
        bid, factor, delivery = bid[can], factor[can], delivery[can]
        value = bids.price_ticks[bid] * MICROS / factor - delivery
        more = self._wanted(bid) * factor
        more = np.where(
            bids.kind[bid] == BidKind.BLOCK, np.ceil(more / MICROS / 1_000) * 1_000, more / MICROS
        )
        lots = self._got_here()[bid] + more.astype(np.int64)
        return value[lots > 0], lots[lots > 0]

    def _delivery(self, bid: Ints) -> Floats:
        """Return the ticks that the cheapest route here costs per accelerator; infinite: none."""
        routes, bids = self.book.routes, self.book.bids
        cost = np.full(len(bid), np.inf)
        for route in np.flatnonzero(routes.region == self.region):
            links = routes.links[routes.link_start[route] : routes.link_start[route + 1]]
            ticks = self.clearing.prices.links_ticks[links, self.period].sum()
            bound = bids.latency_micros_max[bid]
            near = (bound == UNLIMITED) | (routes.latency_micros[route] <= bound)
            near &= bids.origin[bid] == routes.origin[route]
            paid = ticks * bids.gbps_micros[bid] / MICROS
            cost = np.where(near, np.minimum(cost, paid), cost)
        return cost

    def _may_run_here(self, bid: Ints) -> Flags:
        """Flag the bids whose rules of region and renewable share a site here keeps."""
        book, bids = self.book, self.book.bids
        rule = region_rule(book)
        named = np.zeros(len(bids.names), dtype=np.bool_)
        owner = np.repeat(np.arange(len(bids.names)), np.diff(bids.region_start))
        named[owner[bids.regions == self.region]] = True
        pairs = book.pairs[0][book.pairs[1] == self.chip]
        greenest = book.sites.renewable_micros[pairs[book.sites.region[pairs] == self.region]]
        green = bids.renewable_micros_min[bid] <= greenest.max(initial=-1)
        return np.asarray(((rule[bid] == 0) | named[bid]) & green)

    def _got_here(self) -> Ints:
        """Return the lots of this accelerator that each bid got here."""
        fills, got = self.clearing.bid_fills, np.zeros(len(self.book.bids.names), dtype=np.int64)
        np.add.at(got, fills.bid[self.here], fills.quantity_lots[self.here])
        return got

    def _wanted(self, bid: Ints) -> Ints:
        """Return the lots of units that each bid still wanted in this period."""
        bids = self.book.bids
        now, ever = self._units(self.now), self._units(np.ones_like(self.now))
        left = np.maximum(bids.quantity_lots - now, 0)
        volume = np.minimum(left, np.maximum(bids.volume_lots - ever, 0))
        left = np.where(bids.kind == BidKind.VOLUME, volume, left)
        served = ever > 0
        taken = np.unique(bids.group[served & (bids.group != NO_GROUP)])
        block = bids.kind == BidKind.BLOCK
        left = np.where(block & (served | np.isin(bids.group, taken)), 0, left)
        return np.asarray(left[bid])

    def _units(self, which: Flags) -> Ints:
        """Return the lots of units that each bid got in the fills that are flagged."""
        bids, fills = self.book.bids, self.clearing.bid_fills
        width = len(self.book.accelerators.names)
        keys = choice_bid(self.book) * width + bids.choice_accelerator
        order = np.argsort(keys)
        asked = fills.bid[which] * width + fills.accelerator[which]
        choice = order[np.searchsorted(keys, asked, sorter=order)]
        units = np.zeros(len(bids.names))
        got = fills.quantity_lots[which] * MICROS / bids.choice_factor_micros[choice]
        np.add.at(units, fills.bid[which], got)
        return np.ceil(units - 0.001).astype(np.int64)


def _row_of(names: Names, name: str) -> int | None:
    found = np.flatnonzero(names == name)
    return int(found[0]) if len(found) else None


def _steps(price: Floats, lots: Ints, *, rising: bool) -> tuple[Step, ...]:
    """Add up lots of one price, best first; more than ``STEPS_MAX`` steps are drawn together."""
    sign = 1 if rising else -1
    ticks = np.rint(price).astype(np.int64) * sign
    prices, place = np.unique(ticks, return_inverse=True)
    sums = np.zeros(len(prices), dtype=np.int64)
    np.add.at(sums, place, lots)
    ends = np.unique(np.linspace(0, len(prices), min(len(prices), STEPS_MAX) + 1).astype(int)[1:])
    totals = sums.cumsum()
    steps, before = [], 0
    for end in ends.tolist():
        total = int(totals[end - 1])
        steps.append(Step(int(prices[end - 1]) * sign, total - before, total))
        before = total
    return tuple(steps)
