"""What prices leave open: orders at the price, filled for the greatest total of PFLOPS-hours.

At given prices every order strictly better is whole and every order strictly worse has nothing.
Among the ways to fill what is indifferent, one linear program takes the most computing.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, Flags, Floats, Ints
from exchange.engine.convex import Optimum, arc_costs
from exchange.engine.market import (
    NO_ROW,
    Duals,
    Market,
    activity,
    arc_columns,
    demand_columns,
    feed_columns,
    join_columns,
    option_columns,
    per_column,
    supply_columns,
    take_columns,
)
from exchange.engine.solver import INFINITY, Program, SolverFailed, solve_lp

INDIFFERENT = 1e-5  # Currency per hour: a hundredth of a tick is no difference.


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """Quantities per step of supply, feed, step of demand and arc; shapes as in ``Optimum``."""

    supply: Floats
    feeds: Floats
    steps: Floats
    arcs: Floats


def fill_margin(market: Market, optimum: Optimum, duals: Duals, accepted: Ints) -> Flows:
    """Choose among the optima at these prices; the optimum itself if the solver cannot."""
    arcs = np.flatnonzero(cheapest_arcs(market, duals) | (optimum.arcs > 0))
    columns = join_columns(
        [
            supply_columns(market),
            feed_columns(market),
            demand_columns(market),
            arc_columns(market, arcs),
        ]
    )
    x = np.concatenate([optimum.supply, optimum.feeds, optimum.steps, optimum.arcs[arcs]])
    with suppress(SolverFailed):  # The optimum itself is as good in money.
        x = _most_computing(market, columns, x, (duals, accepted))
    a, b, c = np.cumsum([len(optimum.supply), len(optimum.feeds), len(optimum.steps)])
    spread = np.zeros(len(market.arcs.sink))
    spread[arcs] = x[c:]
    return Flows(supply=x[:a], feeds=x[a:b], steps=x[b:c], arcs=spread)


def cheapest_arcs(market: Market, duals: Duals) -> Flags:
    """Arcs over which a ladder may be served at these prices: none is cheaper."""
    cost = arc_costs(market, duals)
    return np.asarray(cost - duals.sinks[market.arcs.sink] <= INDIFFERENT)


def _most_computing(
    market: Market, columns: Program, x: Floats, priced: tuple[Duals, Ints]
) -> Floats:
    duals, accepted = priced
    gain = per_column(columns, duals.rows) - columns.cost
    free = np.abs(gain) <= INDIFFERENT
    x = np.where(free, x, np.where(gain > 0, np.minimum(columns.upper, x.max(initial=0)), 0.0))
    blocks = option_columns(market, accepted, convex=False)
    taken = activity(columns, np.where(free, 0.0, x)) + activity(blocks, np.ones(len(accepted)))
    chosen = take_columns(columns, np.flatnonzero(free))
    lower, upper = _row_bounds(market, duals)
    program = Program(
        cost=_computing(market, free),
        lower=chosen.lower,
        upper=chosen.upper,
        row_lower=lower - taken,
        row_upper=upper - taken,
        start=chosen.start,
        index=chosen.index,
        value=chosen.value,
    )
    x[free] = solve_lp(program, presolve=True).x
    return x


def _row_bounds(market: Market, duals: Duals) -> tuple[Floats, Floats]:
    """Whatever has a price stays full; groups are settled and bind no more."""
    rows = market.rows
    lower, upper = rows.lower.copy(), rows.upper.copy()
    priced = np.abs(duals.rows) > INDIFFERENT
    one_sided = [r[r != NO_ROW] for r in (rows.link, rows.power, rows.volume)]
    for row in one_sided:
        lower[row] = np.where(priced[row], upper[row], lower[row])
    if rows.policy != NO_ROW and priced[rows.policy]:
        upper[rows.policy] = lower[rows.policy]
    lower[rows.group], upper[rows.group] = -INFINITY, INFINITY
    return lower, upper


def _computing(market: Market, free: Flags) -> Floats:
    """Minus the PFLOPS of each free column: only supply computes."""
    book, supply = market.book, market.supply
    chip = book.pairs[1][supply.key[supply.step_ladder] // book.periods]
    cost = np.zeros(len(free))
    cost[: len(chip)] = -book.accelerators.tflops_micros[chip] / MICROS / 1_000
    return cost[free]
