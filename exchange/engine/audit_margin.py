"""Who would use a limit at the published prices: how much of it whole lots may leave over.

In fractions, the orders at the margin of a priced limit use the last of it. In whole lots what each
of them gets in a cell ends less than a lot from there: some get a little less, and some, whose
fraction was below a lot, get nothing and do not use the limit at all. So a limit counts as full
within one lot of each fill that uses it (``audit_limits``) and one lot of each order that would: of
each ladder of hourly bids and period, and each volume bid and period, without a fill that uses it,
if an option over the limit costs no more than the cheapest option there, and some order of the
ladder is worth it. Costs are taken to half of a tick in every price, as rounding to the nearest
tick leaves them.

Only limits that are priced and not full by their users alone are looked up here.
"""

from functools import cached_property

import numpy as np

from exchange.engine.audit_case import ROUNDING, TICK, Case, find_sorted
from exchange.engine.audit_fills import PeriodFills
from exchange.engine.audit_ties import bid_ladders
from exchange.engine.book import MICROS, BidKind, Flags, Ints
from exchange.engine.bound import unit_costs, unroll_windows
from exchange.engine.distinct import number_rows
from exchange.engine.exact import HUGE, scale_micros


class Margin:
    """The demand of each ladder and volume bid by period, and what it is ready to pay for a unit.

    A row stands for the orders of one ladder in one period, or for a volume bid in one period; its
    bid is the one of the greatest limit.
    """

    def __init__(self, case: Case, filled: PeriodFills) -> None:
        self._case = case
        self._filled = filled

    def on_link(self, link: int, period: int) -> int:
        """Give one lot of each order that would send over a link: millionths of Gbps x lots."""
        book = self._case.book
        route = np.repeat(np.arange(len(book.routes.names)), np.diff(book.routes.link_start))
        routes = np.zeros(len(book.routes.names), dtype=np.bool_)
        routes[route[book.routes.links == link]] = True
        fills = self._case.clearing.bid_fills
        rows = np.setdiff1d(
            np.flatnonzero(self._period == period), self._using(routes[fills.route])
        )
        row, _ = self._would(rows, routes=routes)
        return int(book.bids.gbps_micros[self._bid[np.unique(row)]].sum())

    def on_power(self, region: int, period: int, kw: list[int]) -> int:
        """Give one lot of each order that would draw power in a region; ``kw`` is by pair."""
        site, _ = self._case.book.pairs
        rows = np.flatnonzero(self._period == period)
        return self._heaviest(rows, self._case.book.sites.region[site] == region, kw)

    def on_share(self, weight: list[int]) -> int:
        """Give one lot of each order that would use up the domestic share; ``weight`` by pair."""
        uses = np.array([value < 0 for value in weight], dtype=np.bool_)
        return self._heaviest(np.arange(len(self._bid)), uses, [abs(value) for value in weight])

    def _heaviest(self, rows: Ints, pairs: Flags, weight: list[int]) -> int:
        """Add up the greatest weight of a lot that each order would have, among some pairs."""
        book = self._case.book
        _, chip = book.pairs
        of_chip = [0] * len(book.accelerators.names)
        for pair in np.flatnonzero(pairs).tolist():
            of_chip[chip[pair]] = max(of_chip[chip[pair]], weight[pair])
        row, choice = self._would(
            np.setdiff1d(rows, self._using(pairs[self._case.pair])), pairs=pairs
        )
        heaviest: dict[int, int] = {}
        chips = book.bids.choice_accelerator[choice].tolist()
        for one, used in zip(row.tolist(), chips, strict=True):
            heaviest[one] = max(heaviest.get(one, 0), of_chip[used])
        return sum(heaviest.values())

    def _would(
        self, rows: Ints, *, pairs: Flags | None = None, routes: Flags | None = None
    ) -> tuple[Ints, Ints]:
        """Give (row, choice) of those that would take an option among those flagged."""
        case, bids = self._case, self._case.book.bids
        start = bids.choice_start[self._bid[rows]]
        place, choice = unroll_windows(start, bids.choice_start[self._bid[rows] + 1])
        row = rows[place]
        costs = case.reach.cheapest(case.raised(-TICK // 2), pairs=pairs, routes=routes)
        cost = costs[case.reach.want[choice], self._period[row]]
        unit = scale_micros(cost, bids.choice_factor_micros[choice])
        would = (cost < HUGE) & (unit <= self._ready[row] + ROUNDING)
        return row[would], choice[would]

    def _using(self, uses: Flags) -> Ints:
        """Give the rows that have a fill among those flagged."""
        return np.unique(self._row_of_fill[uses])

    @cached_property
    def _demand(self) -> Ints:
        """The ladder of each bid; a volume bid is a ladder of its own, a block is in none (-1)."""
        bids = self._case.book.bids
        ladder = bid_ladders(self._case.book)
        own = np.arange(len(ladder)) + int(ladder.max(initial=-1)) + 1
        kinds = [bids.kind == BidKind.HOURLY, bids.kind == BidKind.VOLUME]
        return np.select(kinds, [ladder, own], -1)

    @cached_property
    def _keys(self) -> tuple[Ints, Ints]:
        """The rows' keys (ladder and period), sorted, and the bid of each."""
        bids, periods = self._case.book.bids, self._case.book.periods
        divisible = np.flatnonzero(self._demand >= 0)
        row, period = unroll_windows(bids.first[divisible], bids.end[divisible])
        bid = divisible[row]
        order = np.argsort(-bids.price_ticks[bid], kind="stable")
        key = (self._demand[bid] * periods + period)[order]
        first, _ = number_rows((key,))
        return key[first], bid[order][first]

    @property
    def _bid(self) -> Ints:
        return self._keys[1]

    @cached_property
    def _period(self) -> Ints:
        return np.asarray(self._keys[0] % self._case.book.periods)

    @cached_property
    def _row_of_fill(self) -> Ints:
        """The row that each fill belongs to; -1 for those of blocks."""
        fills = self._case.clearing.bid_fills
        demand = self._demand[fills.bid]
        key = np.where(demand < 0, -1, demand * self._case.book.periods + fills.period)
        return find_sorted(self._keys[0], key)

    @cached_property
    def _ready(self) -> Ints:
        """What each row would pay for a unit, in micro-ticks.

        The least that it costs, and no more than it is worth: the limit, or for a volume bid that
        is served in full what it pays at the most.
        """
        case, bids = self._case, self._case.book.bids
        cheapest = unit_costs(case.reach, case.cheapest(raised=TICK // 2), self._bid, self._period)
        worth = bids.price_ticks * MICROS
        volumes = np.flatnonzero(bids.kind == BidKind.VOLUME)
        row, period = unroll_windows(bids.first[volumes], bids.end[volumes])
        got = np.zeros(len(volumes), dtype=np.int64)
        np.add.at(got, row, self._filled.units(volumes[row], period))
        served = volumes[got >= bids.volume_lots[volumes] * MICROS]
        paid = np.zeros_like(worth)
        costs = scale_micros(case.row_costs + case.row_ticks // 2, case.factor_micros)
        np.maximum.at(paid, case.clearing.bid_fills.bid, costs)
        worth[served] = paid[served]
        return np.minimum(cheapest, worth[self._bid])
