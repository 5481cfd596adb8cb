"""Which blocks to accept, where and when: the combinatorial part."""

import numpy as np

from exchange.engine.book import Ints
from exchange.engine.convex import Convex, Optimum, option_gains
from exchange.engine.market import (
    Market,
    arc_columns,
    demand_columns,
    feed_columns,
    join_columns,
    option_columns,
    supply_columns,
)
from exchange.engine.no_loss import Selection, drop_losers, try_selection
from exchange.engine.solver import INFINITY, MipSolution, Program, solve_mip

SMALL_OPTIONS, SMALL_ARCS = 400, 2_000  # Books that are searched to the end.
SMALL_NODES, SMALL_ROUNDS = 2_000, 60
NODES, CHECKS = 200, 4_000
INSERTIONS = 40


def choose_blocks(convex: Convex, relaxed: Optimum, *, seconds: float | None = None) -> Selection:
    """Accept the blocks of greatest welfare under the rule that none loses."""
    market = convex.market
    if not len(market.options.block):
        return Selection(accepted=np.zeros(0, dtype=np.int64), optimum=relaxed)
    if len(market.options.block) <= SMALL_OPTIONS and len(market.arcs.demand) <= SMALL_ARCS:
        found = _search_to_the_end(convex, seconds=seconds)
        if found:
            return found
    start = _search(market, convex.known_options, convex.known_arcs, [], NODES, seconds)
    best = drop_losers(convex, _accepted(start, convex.known_options))
    return reinsert(convex, best)


def _search_to_the_end(convex: Convex, *, seconds: float | None) -> Selection | None:
    """The optimum under the rule: if the best set loses, at least one of it must go.

    A set that loses cannot be saved by accepting more: more would be better than the best. So the
    cut takes away no allocation that the rule allows.
    """
    market = convex.market
    options, arcs = np.arange(len(market.options.block)), np.arange(len(market.arcs.demand))
    cuts: list[Ints] = []
    for _ in range(SMALL_ROUNDS):
        best = _search(market, options, arcs, cuts, SMALL_NODES, seconds)
        if not best.proved or best.x is None:
            return None
        accepted = _accepted(best, options)
        found, _ = try_selection(convex, accepted)
        if found:
            return found
        cuts.append(accepted)
    return None


def _search(
    market: Market,
    options: Ints,
    arcs: Ints,
    cuts: list[Ints],
    nodes: int,
    seconds: float | None,
) -> MipSolution:
    program = join_columns(
        [
            option_columns(market, options),
            supply_columns(market),
            feed_columns(market),
            demand_columns(market),
            arc_columns(market, arcs),
        ]
    )
    whole = np.arange(len(program.cost)) < len(options)
    return solve_mip(
        _with_cuts(program, options, cuts), whole, nodes=nodes, checks=CHECKS, seconds=seconds
    )


def _with_cuts(program: Program, options: Ints, cuts: list[Ints]) -> Program:
    """Add rows: of each set of options, one at least must go."""
    if not cuts:
        return program
    rows = len(program.row_lower)
    column = np.repeat(np.arange(len(program.cost)), np.diff(program.start))
    cut_columns = [np.searchsorted(options, cut) for cut in cuts]
    column = np.concatenate([column, *cut_columns])
    row = np.concatenate(
        [program.index, *(np.full(len(cut), rows + k) for k, cut in enumerate(cuts))]
    )
    value = np.concatenate([program.value, np.ones(sum(len(cut) for cut in cuts))])
    order = np.argsort(column, kind="stable")
    return Program(
        cost=program.cost,
        lower=program.lower,
        upper=program.upper,
        row_lower=np.append(program.row_lower, np.full(len(cuts), -INFINITY)),
        row_upper=np.append(program.row_upper, [len(cut) - 1.0 for cut in cuts]),
        start=np.searchsorted(column[order], np.arange(len(program.cost) + 1)).astype(np.int64),
        index=row[order],
        value=value[order],
    )


def _accepted(found: MipSolution, options: Ints) -> Ints:
    if found.x is None:
        return options[:0]
    return options[found.x[: len(options)] > 0.5]  # noqa: PLR2004


def reinsert(convex: Convex, best: Selection) -> Selection:
    """Put back rejected blocks that gain at the prices, the one that gains most first."""
    options = convex.market.options
    tried: set[int] = set()
    for _ in range(INSERTIONS):
        gain = option_gains(convex.market, best.optimum.duals)
        taken = np.zeros(options.groups, dtype=np.bool_)
        taken[options.group[best.accepted]] = True
        open_ = np.flatnonzero(~taken[options.group] & (gain > 0))
        fresh = [o for o in open_[np.argsort(-gain[open_], kind="stable")] if o not in tried]
        if not fresh:
            break
        tried.add(int(fresh[0]))
        found, _ = try_selection(convex, np.sort(np.append(best.accepted, fresh[0])))
        if found and found.welfare > best.welfare:
            best = found
    return best
