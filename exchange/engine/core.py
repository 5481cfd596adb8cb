"""The core of a book: what an integer program needs to choose blocks, and nothing else.

Far from the prices of the relaxation the answer is known: what is much better than the price is
taken, what is much worse is not. Steps of a row that are far on one side become one column at
their mean price, dear arcs are left out, and of each job only its best options are kept.
"""

from dataclasses import dataclass

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

NEAR = 2.0  # Currency per hour: within this of the price a step or an arc keeps its own column.
NEVER_MERGED = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """A program over the market's rows whose first columns are the ``options``, to be whole."""

    program: Program
    options: Ints

    @property
    def whole(self) -> Flags:
        """The columns that must be whole."""
        return np.arange(len(self.program.cost)) < len(self.options)


def build_core(convex: Convex, relaxed: Optimum, *, options_each: int) -> Core:
    """Keep what may matter at prices near those of the relaxation.

    Each job keeps its ``options_each`` best options at these prices, and those that it takes.
    """
    market, prices = convex.market, relaxed.duals.rows
    options = promising_options(market, relaxed, options_each)
    arcs = convex.known_arcs
    ways = arc_columns(market, arcs)
    near = (ways.cost - per_column(ways, prices) <= NEAR) | (relaxed.arcs[arcs] > TINY)
    program = join_columns(
        [
            option_columns(market, options),
            _gathered(supply_columns(market), prices, relaxed.supply),
            feed_columns(market),
            _gathered(demand_columns(market), prices, relaxed.steps),
            take_columns(ways, np.flatnonzero(near)),
        ]
    )
    return Core(program=program, options=options)


def promising_options(market: Market, relaxed: Optimum, each: int) -> Ints:
    """The options that the relaxation takes, and for each job those that gain most there."""
    options = market.options
    gain = option_gains(market, relaxed.duals)
    best = best_of_each(np.arange(len(gain)), options.group, gain, count=each)
    return np.union1d(best, np.flatnonzero(relaxed.options > TINY))


def _gathered(steps: Program, prices: Floats, x: Floats) -> Program:
    """Steps near the price as they are; those far above or below it as one column a row."""
    gain = per_column(steps, prices) - steps.cost
    partly = (x > TINY) & (x < steps.upper - TINY)
    alone = (np.abs(gain) <= NEAR) | partly | (np.diff(steps.start) > 1)
    far = np.flatnonzero(~alone)
    row = steps.index[steps.start[far]]
    key, place = np.unique(2 * row + (gain[far] > 0), return_inverse=True)
    first = far[np.unique(place, return_index=True)[1]] if len(far) else far
    upper = np.bincount(place, weights=steps.upper[far], minlength=len(key))
    money = np.bincount(place, weights=(steps.upper * steps.cost)[far], minlength=len(key))
    merged = take_columns(steps, first)
    return join_columns(
        [
            take_columns(steps, np.flatnonzero(alone)),
            Program(
                cost=money / np.maximum(upper, TINY),
                lower=merged.lower,
                upper=upper,
                row_lower=merged.row_lower,
                row_upper=merged.row_upper,
                start=merged.start,
                index=merged.index,
                value=merged.value,
            ),
        ]
    )
