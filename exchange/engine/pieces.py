"""From flows to orders: which order gets how much, in which cell, over which route.

Everything is counted in micro-lots (int64). Flows that are whole lots but for the solver's dust
are taken as whole, so that where every factor is 1 each piece comes out whole.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, Flags, Floats, Ints
from exchange.engine.margin import Flows
from exchange.engine.market import Market
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


def cut_pieces(market: Market, flows: Flows) -> Pieces:
    """Lay the orders of each ladder, best first, over the cells that serve it."""
    arc, pair, fine = _cells_of_arcs(market, flows)
    arcs = market.arcs
    order = np.lexsort((arcs.route[arc], pair, arcs.demand[arc]))
    arc, pair, fine = arc[order], pair[order], fine[order]
    units = _round(fine * (MICROS / arcs.factor_micros[arc]))
    rows, wanted = _amounts_of_rows(market, flows)
    ladder = market.demand.ladders.step_ladder[market.demand.ladders.row_step[rows]]
    demand = arcs.demand[arc]
    wanted, units = level((ladder, wanted), (demand, units))
    left, right, amount = pair_in_order((ladder, wanted), (demand, units))
    return Pieces(
        row=rows[left],
        arc=arc[right],
        pair=pair[right],
        fine=_round(amount * (arcs.factor_micros[arc[right]] / MICROS)),
    )


def _amounts_of_rows(market: Market, flows: Flows) -> tuple[Ints, Ints]:
    """(row, micro-units): orders of full steps get all, of a step in part pro rata."""
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
    return rows, share_pro_rata(step, weight * FINE // grain[step], total) * grain[step]


def _plain_ladders(market: Market) -> Flags:
    """Ladders all of whose factors are 1: a lot of theirs is a lot of accelerators."""
    plain = np.ones(len(market.demand.want), dtype=np.bool_)
    plain[market.arcs.demand[market.arcs.factor_micros != MICROS]] = False
    return plain


def _cells_of_arcs(market: Market, flows: Flows) -> tuple[Ints, Ints, Ints]:
    """(arc, pair, micro-lots): from which pairs the flow of each arc comes."""
    arcs, network = market.arcs, market.network
    used = np.flatnonzero(flows.arcs > 0)
    fine = _snap(flows.arcs[used] * arcs.factor[used])
    direct = arcs.node[used] < len(network.pair_region)
    found = [(used[direct], arcs.node[used[direct]], fine[direct])]
    drawn = _Drawn(market, flows)
    for pool in drawn.pools_strictest_first():
        at_pool = np.flatnonzero(arcs.node[used] == pool)
        found.append(drawn.serve(pool, used[at_pool], fine[at_pool]))
    arc, pair, amount = (np.concatenate(column) for column in zip(*found, strict=True))
    some = amount > 0
    return arc[some], pair[some], amount[some]


class _Drawn:
    """What pools draw, followed from pool to pool down to the pairs."""

    def __init__(self, market: Market, flows: Flows) -> None:
        self._market = market
        network = market.network
        feed, period = np.nonzero(network.open_nodes[network.feed_from])
        fine = _snap(flows.feeds)
        used = fine > 0
        self._source = network.feed_from[feed[used]]
        self._pool = network.feed_to[feed[used]]
        self._period, self._fine = period[used], fine[used]
        nothing = np.zeros(0, dtype=np.int64)
        self._inherited: dict[int, tuple[Ints, Ints, Ints]] = {}
        self._nothing = (nothing, nothing, nothing)

    def pools_strictest_first(self) -> list[int]:
        """Each pool after the pools that it draws from."""
        network = self._market.network
        pairs = len(network.pair_region)
        feeders: dict[int, list[int]] = {int(pool): [] for pool in network.feed_to}
        for source, pool in zip(network.feed_from.tolist(), network.feed_to.tolist(), strict=True):
            if source >= pairs:
                feeders[pool].append(source)
        ordered: list[int] = []
        while len(ordered) < len(feeders):
            ready = [p for p in feeders if p not in ordered and set(feeders[p]) <= set(ordered)]
            ordered += sorted(ready)
        return ordered

    def serve(self, pool: int, arc: Ints, fine: Ints) -> tuple[Ints, Ints, Ints]:
        """Divide what a pool holds among its arcs and the laxer pool that draws from it."""
        pairs = len(self._market.network.pair_region)
        mine = (self._pool == pool) & (self._source < pairs)
        inside = self._inherited.pop(pool, self._nothing)
        period = np.concatenate([self._period[mine], inside[0]])
        pair = np.concatenate([self._source[mine], inside[1]])
        held = np.concatenate([self._fine[mine], inside[2]])
        order = np.lexsort((pair, period))
        period, pair, held = period[order], pair[order], held[order]
        onward = self._source == pool
        out_period = np.concatenate([self._market.arcs.period[arc], self._period[onward]])
        out_arc = np.concatenate([arc, -1 - self._pool[onward]])
        out_fine = np.concatenate([fine, self._fine[onward]])
        order = np.lexsort((out_arc < 0, out_period))
        out_period, out_arc, out_fine = out_period[order], out_arc[order], out_fine[order]
        held, out_fine = level((period, held), (out_period, out_fine))
        left, right, amount = pair_in_order((period, held), (out_period, out_fine))
        to_pool = out_arc[right] < 0
        for target in np.unique(out_arc[right][to_pool]):
            part = out_arc[right] == target
            self._inherited[int(-1 - target)] = (
                period[left[part]],
                pair[left[part]],
                amount[part],
            )
        arcs_only = ~to_pool
        return out_arc[right][arcs_only], pair[left[arcs_only]], amount[arcs_only]


def _snap(quantity: Floats) -> Ints:
    """Micro-lots of a flow, whole lots where it is whole but for dust."""
    fine = _round(quantity * (LOTS_PER_UNIT * FINE))
    whole = (fine + FINE // 2) // FINE * FINE
    return np.where(np.abs(fine - whole) <= DUST, whole, fine)


def _round(values: Floats) -> Ints:
    return np.rint(values).astype(np.int64)
