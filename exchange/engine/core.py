"""The core of a book: what an integer program needs to choose blocks, and nothing else.

Far from the prices of the relaxation the answer is known: what is much better than the price is
taken, what is much worse is not. Steps of a row that are far on one side become one column at
their mean price, dear arcs are left out, and of each job only its best options are kept.
"""

from dataclasses import dataclass, replace

import numpy as np

from exchange.engine.book import Flags, Floats, Ints
from exchange.engine.convex import Convex, Optimum, best_of_each, option_gains
from exchange.engine.market import (
    Market,
    arc_columns,
    demand_columns,
    feed_columns,
    join_columns,
    option_columns,
    per_column,
    supply_columns,
    take_columns,
)
from exchange.engine.solver import Program
from exchange.engine.support import TINY

NEAR = 0.01  # Currency per hour: within this of the price a step or an arc keeps its own column.


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """A program over the market's rows whose first columns are the ``options``, to be whole."""

    program: Program
    options: Ints

    @property
    def whole(self) -> Flags:
        """The columns that must be whole."""
        return np.arange(len(self.program.cost)) < len(self.options)


def build_core(
    convex: Convex, relaxed: Optimum, *, options_each: int, kept: Ints | None = None
) -> Core:
    """Keep what may matter at prices near those of the relaxation.

    Each job keeps its ``options_each`` best options at these prices, those that it takes, and those
    ``kept``; only the cells of these are told apart.
    """
    market, prices = convex.market, relaxed.duals.rows
    options = promising_options(market, relaxed, options_each)
    if kept is not None:
        options = np.union1d(options, kept)
    inner = market.split_at(options)
    arcs = convex.known_arcs
    ways = arc_columns(market, arcs)
    near = (ways.cost - per_column(ways, prices) <= NEAR) | (relaxed.arcs[arcs] > TINY)
    supply, demand = supply_columns(market), demand_columns(market)
    program = join_columns(
        [
            option_columns(inner, options),
            _gathered(supply_columns(inner), per_column(supply, prices) - supply.cost),
            feed_columns(inner),
            _gathered(demand_columns(inner), per_column(demand, prices) - demand.cost),
            arc_columns(inner, arcs[near]),
        ]
    )
    return Core(program=program, options=options)


def promising_options(market: Market, relaxed: Optimum, each: int) -> Ints:
    """The options that the relaxation takes, and for each job those that gain most there."""
    options = market.options
    gain = option_gains(market, relaxed.duals)
    best = best_of_each(np.arange(len(gain)), options.group, gain, count=each)
    return np.union1d(best, np.flatnonzero(relaxed.options > TINY))


def _gathered(steps: Program, gain: Floats) -> Program:
    """Steps of a row with the same price are one column; so are those far above or below it."""
    alone = np.diff(steps.start) > 1
    single = np.flatnonzero(~alone)
    row = steps.index[steps.start[single]]
    far = np.where(np.abs(gain[single]) > NEAR, np.sign(gain[single]), 0)
    price = np.where(far == 0, steps.cost[single], 0.0)
    order = np.lexsort((price, far, row))
    keys = np.stack([row, far, price])[:, order]
    new = np.append(True, (np.diff(keys, axis=1) != 0).any(axis=0))[: len(order)]
    first = np.flatnonzero(new)
    upper = _sums(steps.upper[single][order], first)
    money = _sums((steps.upper * steps.cost)[single][order], first)
    merged = take_columns(steps, single[order[first]])
    return join_columns(
        [
            take_columns(steps, np.flatnonzero(alone)),
            replace(merged, cost=money / np.maximum(upper, TINY), upper=upper),
        ]
    )


def _sums(values: Floats, first: Ints) -> Floats:
    return np.add.reduceat(values, first) if len(first) else values[:0]
