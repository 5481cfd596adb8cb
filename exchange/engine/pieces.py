"""From flows to orders: which order gets how much, in which cell, over which route.

Everything is counted in micro-lots (int64). Flows that are whole lots but for the solver's dust
are taken as whole, so that where every factor is 1 each piece comes out whole.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, Flags, Floats, Ints
from exchange.engine.margin import Flows
from exchange.engine.market import Market, open_feeds
from exchange.engine.sharing import FINE, level, pair_in_order, share_pro_rata

DUST = FINE // 5_000  # Micro-lots: twice what the solver may be off by.


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What each divisible order gets from each cell over each route.

    ``row`` is a row of the demand ladders (a bid in a period), ``arc`` a row of the market's
    arcs, ``fine`` the amount in micro-lots of accelerators. Sorted by demand, step and bid.
    """

    row: Ints
    arc: Ints
    pair: Ints
    fine: Ints


def cut_pieces(market: Market, flows: Flows, accepted: Ints) -> Pieces:
    """Lay the orders of each ladder, best first, over the cells that serve it."""
    arc, pair, fine = _cells_of_arcs(market, flows, accepted)
    arcs = market.arcs
    order = np.lexsort((arcs.route[arc], pair, arcs.sink[arc]))
    arc, pair, fine = arc[order], pair[order], fine[order]
    units = _round(fine * (MICROS / arcs.factor_micros[arc]))
    rows, wanted = _amounts_of_rows(market, flows)
    sink = sink_of_rows(market)[rows]
    wanted, units = level((sink, wanted), (arcs.sink[arc], units))
    left, right, amount = pair_in_order((sink, wanted), (arcs.sink[arc], units))
    return Pieces(
        row=rows[left],
        arc=arc[right],
        pair=pair[right],
        fine=_round(amount * (arcs.factor_micros[arc[right]] / MICROS)),
    )


def _amounts_of_rows(market: Market, flows: Flows) -> tuple[Ints, Ints]:
    """(row, micro-units): orders of full steps get all, of a step in part pro rata; by sink."""
    ladders = market.demand.ladders
    step_fine = _snap(flows.steps)
    used = np.flatnonzero(step_fine[ladders.row_step] > 0)
    # By ladder and price; of one price in the order of the bids' names.
    rows = used[np.lexsort((ladders.row_order[used], ladders.row_step[used]))]
    step = ladders.row_step[rows]
    weight = market.book.bids.quantity_lots[ladders.row_order[rows]]
    plain = _plain_ladders(market)[ladders.step_ladder]
    grain = np.where(plain, FINE, 1)
    total = np.minimum(step_fine, ladders.step_lots * FINE) // grain
    shares = share_pro_rata(step, weight * FINE // grain[step], total) * grain[step]
    by_sink = np.argsort(sink_of_rows(market)[rows], kind="stable")
    return rows[by_sink], shares[by_sink]


def sink_of_rows(market: Market) -> Ints:
    """The sink at which each row of the demand ladders is served."""
    ladders = market.demand.ladders
    return market.demand.sink[ladders.step_ladder[ladders.row_step]]


def _plain_ladders(market: Market) -> Flags:
    """Ladders all of whose factors are 1: a lot of theirs is a lot of accelerators."""
    plain = np.ones(len(market.demand.sink_want), dtype=np.bool_)
    plain[market.arcs.sink[market.arcs.factor_micros != MICROS]] = False
    return plain[market.demand.sink]


def _cells_of_arcs(market: Market, flows: Flows, accepted: Ints) -> tuple[Ints, Ints, Ints]:
    """(arc, pair, micro-lots): from which pairs the flow of each arc comes."""
    arcs = market.arcs
    used = np.flatnonzero(flows.arcs > 0)
    fine = _snap(flows.arcs[used] * arcs.factor[used])
    found = []
    drawn = _Drawn(market, flows, accepted)
    for node in drawn.nodes_in_order():
        here = np.flatnonzero(arcs.node[used] == node)
        found.append(drawn.serve(node, used[here], fine[here]))
    arc, pair, amount = (np.concatenate(column) for column in zip(*found, strict=True))
    some = amount > 0
    return arc[some], pair[some], amount[some]


Held = tuple[Ints, Ints, Ints]  # (period, pair, micro-lots)


class _Drawn:
    """What classes and pools draw, followed from node to node down to the pairs."""

    def __init__(self, market: Market, flows: Flows, accepted: Ints) -> None:
        self._market = market
        network = market.network
        self._pairs = len(network.pair_region)
        self._held: dict[int, list[Held]] = defaultdict(list)
        self._hold_cells(flows, accepted)
        feed, period = open_feeds(market)
        fine = _snap(flows.feeds[: len(feed)])
        onward = (fine > 0) & (network.feed_from[feed] >= self._pairs)
        self._source = network.feed_from[feed[onward]]
        self._target = network.feed_to[feed[onward]]
        self._period, self._fine = period[onward], fine[onward]

    def _hold_cells(self, flows: Flows, accepted: Ints) -> None:
        """What each cell sells beyond its blocks is at its class."""
        book, supply = self._market.book, self._market.supply
        sold = np.bincount(
            supply.key[supply.step_ladder], weights=flows.supply, minlength=book.open_cells.size
        ).astype(np.float64)
        left = _snap(sold).reshape(book.open_cells.shape) - FINE * block_lots(
            self._market, accepted
        )
        pair, period = np.nonzero(left > 0)
        node = self._market.network.pair_class[pair]
        for one in np.unique(node).tolist():
            mine = node == one
            self._held[one].append((period[mine], pair[mine], left[pair[mine], period[mine]]))

    def nodes_in_order(self) -> list[int]:
        """Classes, then each pool after the stricter pool that it draws from."""
        network = self._market.network
        first = self._pairs + network.classes
        feeders: dict[int, set[int]] = {
            pool: set() for pool in range(first, len(network.open_nodes))
        }
        for source, pool in zip(network.feed_from.tolist(), network.feed_to.tolist(), strict=True):
            if source >= first:
                feeders[pool].add(source)
        ordered = list(range(self._pairs, first))
        while feeders:
            ready = sorted(pool for pool, of in feeders.items() if of <= set(ordered))
            assert ready, "pools draw from stricter pools, never in a circle"
            ordered += ready
            feeders = {pool: of for pool, of in feeders.items() if pool not in ready}
        return ordered

    def serve(self, node: int, arc: Ints, fine: Ints) -> Held:
        """Divide what a node holds among its arcs and the pool that draws from it."""
        nothing = np.zeros(0, dtype=np.int64)
        held = self._held.pop(node, [(nothing, nothing, nothing)])
        period, pair, amount = (np.concatenate(column) for column in zip(*held, strict=True))
        order = np.lexsort((pair, period))
        period, pair, amount = period[order], pair[order], amount[order]
        onward = np.flatnonzero(self._source == node)
        out_period = np.concatenate([self._market.arcs.period[arc], self._period[onward]])
        out = np.concatenate([arc, -1 - self._target[onward]])  # Pools below zero.
        out_fine = np.concatenate([fine, self._fine[onward]])
        order = np.lexsort((out < 0, out_period))
        out_period, out, out_fine = out_period[order], out[order], out_fine[order]
        amount, out_fine = level((period, amount), (out_period, out_fine))
        left, right, part = pair_in_order((period, amount), (out_period, out_fine))
        to_pool = out[right] < 0
        for target in np.unique(out[right][to_pool]).tolist():
            mine = out[right] == target
            self._held[-1 - target].append((period[left[mine]], pair[left[mine]], part[mine]))
        return out[right][~to_pool], pair[left][~to_pool], part[~to_pool]


def _snap(quantity: Floats) -> Ints:
    """Micro-lots of a flow, whole lots where it is whole but for dust."""
    fine = _round(quantity * (LOTS_PER_UNIT * FINE))
    whole = (fine + FINE // 2) // FINE * FINE
    return np.where(np.abs(fine - whole) <= DUST, whole, fine)


def _round(values: Floats) -> Ints:
    return np.rint(values).astype(np.int64)


def block_lots(market: Market, accepted: Ints) -> Ints:
    """Shape (pairs, periods): lots that the accepted options take."""
    options = market.options
    taken = np.zeros(market.book.open_cells.shape, dtype=np.int64)
    for option in accepted.tolist():
        periods = slice(int(options.first[option]), int(options.end[option]))
        taken[options.pair[option], periods] += int(options.need[option]) * LOTS_PER_UNIT
    return taken
