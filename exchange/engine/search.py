"""Which blocks to accept, where and when: the combinatorial part."""

from dataclasses import replace

import numpy as np

from exchange.engine.book import Flags, Floats, Ints
from exchange.engine.convex import Convex, Optimum, best_of_each, has_many_jobs, option_gains
from exchange.engine.core import build_core
from exchange.engine.deadline import is_late, seconds_left
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
from exchange.engine.placing import place_blocks
from exchange.engine.solver import INFINITY, MipSolution, Program, solve_mip
from exchange.engine.support import TINY

SMALL_OPTIONS, SMALL_ARCS = 400, 2_000  # Books that are searched to the end.
SMALL_NODES, SMALL_ROUNDS = 2_000, 60
APART_CELLS = 10_000  # So many cells are told apart from the first.
# How many options of each job the search looks at, beside those that the relaxation takes, in one
# round after another. Rounds end when what is found is CLOSE to the relaxation, or so many steps of
# the simplex are spent; with many jobs, where programs are large, not so close is close enough.
ROUNDS, ROUNDS_MANY, STEPS_MAX = (3, 8, 12, 16, 24), (5, 16, 40), 40_000
# Which share of its value a job gains that is not up for search: more after each round whose
# program was solved to its end, but where jobs are many, whose programs then would not be.
SURE, SURER = 0.1, 4
CLOSE, CLOSE_MANY = 0.003, 0.035
NODES, CHECKS, GAP, GAP_MANY = 50, 40, 5e-4, 5e-3
INSERTIONS, INSERTIONS_HUGE, HUGE_COLUMNS = 15, 2, 60_000  # Each solves a program or two.
HALF = 0.5
AGREED = 0.99  # Of an option that was accepted: what the relaxation takes of it, to let it be.
THICK = 0.01  # A share of the jobs.
SPARE, SPARE_EACH = 200, 3


def first_convex(market: Market) -> Convex:
    """The program to relax: each site apart where there are few, else by class.

    A gang fits only where one site can hold it. Sites apart say so; a class adds up the room of
    sites that are too small, and proves less.
    """
    if len(market.options.block) and market.split.size <= APART_CELLS:
        market = market.with_split(np.ones_like(market.split))
    return Convex(market)


def choose_blocks(convex: Convex, relaxed: Optimum, deadline: float | None) -> Selection:
    """Accept the blocks of greatest welfare under the rule that none loses.

    Small books are searched to the end. In others integer programs over the core of the book find
    a set of blocks, and better ones near it; then losers go, and who still gains is put back.
    """
    market = convex.market
    options = market.options
    if not len(options.block):
        return Selection(accepted=np.zeros(0, dtype=np.int64), optimum=relaxed, convex=convex)
    if len(options.block) <= SMALL_OPTIONS and len(market.arcs.sink) <= SMALL_ARCS:
        found = _search_to_the_end(Convex(market), seconds=seconds_left(deadline))
        if found:
            return found
    late = is_late(deadline)
    if not market.split.all():
        chosen = np.flatnonzero(relaxed.options >= HALF)
        placed = place_blocks(market, chosen, relaxed.duals)
        spare = _promising(market, relaxed, placed)
        fine = Convex(market.split_at(np.concatenate([placed, spare])), arcs=convex.known_arcs)
        kept = replace(drop_losers(fine, placed), complete=not late)
        return reinsert(kept, spare, deadline)
    if late or _is_thick(market, relaxed):
        best = drop_losers(convex, np.flatnonzero(relaxed.options >= AGREED))
        best = replace(best, complete=not late)
    else:
        best = _search_core(convex, relaxed, deadline)
    return reinsert(best, _promising(market, relaxed, best.accepted), deadline)


def _is_thick(market: Market, relaxed: Optimum) -> bool:
    """Few jobs are taken in part: without them little is lost, and what is free they get back."""
    in_part = (relaxed.options > TINY) & (relaxed.options < AGREED)
    return len(np.unique(market.options.group[in_part])) <= THICK * market.options.groups


def _search_core(convex: Convex, relaxed: Optimum, deadline: float | None) -> Selection:
    """Search near the relaxation, then near what was found, among more and more options."""
    best: Selection | None = None
    complete, steps, sure = True, 0, SURE
    many = has_many_jobs(convex.market)
    close = relaxed.welfare * (CLOSE_MANY if many else CLOSE)
    for each in ROUNDS_MANY if many else ROUNDS:
        answer, accepted = _search_near(convex, relaxed, best, (each, sure, seconds_left(deadline)))
        complete &= not answer.timed_out
        found = drop_losers(convex, accepted)
        best = found if best is None or found.welfare > best.welfare else best
        steps += answer.iterations
        sure *= SURER if answer.proved and not many else 1
        if relaxed.welfare - best.welfare < close or steps > STEPS_MAX:
            break
        if is_late(deadline):
            complete = False
            break
    assert best is not None, "there are rounds"
    return replace(best, complete=complete)


def _search_near(
    convex: Convex,
    relaxed: Optimum,
    best: Selection | None,
    how: tuple[int, float, float | None],
) -> tuple[MipSolution, Ints]:
    """Search on with what the relaxation takes, what was found keeps and both pay well.

    Returns the answer and the options accepted: those found before, if it found nothing.
    """
    each, sure, seconds = how
    market = convex.market
    liked = np.flatnonzero(relaxed.options >= AGREED)
    accepted = best.accepted if best else liked[:0]
    core = build_core(convex, relaxed, options_each=each, kept=np.union1d(accepted, liked))
    agreed = np.intersect1d(accepted, liked) if best else liked
    gain = option_gains(market, (best.optimum if best else relaxed).duals)[agreed]
    agreed = agreed[gain >= sure * market.options.value[agreed]]
    program = replace(core.program, lower=core.program.lower.copy())
    program.lower[np.searchsorted(core.options, agreed)] = 1.0
    start = _padded(np.isin(core.options, accepted), len(program.cost)) if best else None
    answer = solve_mip(
        program,
        core.whole,
        nodes=NODES,
        checks=CHECKS,
        gap=GAP_MANY if has_many_jobs(market) else GAP,
        start=start,
        seconds=seconds,
    )
    return answer, accepted if answer.x is None else _accepted(answer, core.options)


def _padded(start: Flags, columns: int) -> Floats:
    return np.append(start.astype(np.float64), np.zeros(columns - len(start)))


def _promising(market: Market, relaxed: Optimum, placed: Ints) -> Ints:
    """For each job left out that the relaxation likes, its best options."""
    options = market.options
    gain = option_gains(market, relaxed.duals)
    taken = np.zeros(options.groups, dtype=np.bool_)
    taken[options.group[placed]] = True
    out = np.flatnonzero(~taken[options.group] & (gain >= 0))
    best = best_of_each(out, options.group[out], gain[out], count=SPARE_EACH)
    return best[np.lexsort((best, -gain[best]))][:SPARE]


def _search_to_the_end(convex: Convex, *, seconds: float | None) -> Selection | None:
    """The optimum under the rule: if the best set loses, at least one of it must go.

    A set that loses cannot be saved by accepting more: more would be better than the best. So the
    cut takes away no allocation that the rule allows.
    """
    market = convex.market
    options, arcs = np.arange(len(market.options.block)), np.arange(len(market.arcs.sink))
    cuts: list[Ints] = []
    for _ in range(SMALL_ROUNDS):
        best = _search(market, options, arcs, cuts=cuts, nodes=SMALL_NODES, seconds=seconds)
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
    *,
    nodes: int,
    seconds: float | None,
    cuts: list[Ints],
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
        _with_cuts(program, options, cuts),
        whole,
        nodes=nodes,
        checks=CHECKS,
        seconds=seconds,
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
    return options[found.x[: len(options)] > HALF]


def reinsert(best: Selection, spare: Ints, deadline: float | None = None) -> Selection:
    """Put back rejected blocks that gain at the prices, the one that gains most first."""
    convex = best.convex
    options = convex.market.options
    tried: set[int] = set()
    for _ in range(INSERTIONS if convex.columns <= HUGE_COLUMNS else INSERTIONS_HUGE):
        gain = option_gains(convex.market, best.optimum.duals)[spare]
        taken = np.zeros(options.groups, dtype=np.bool_)
        taken[options.group[best.accepted]] = True
        order = spare[np.lexsort((spare, -gain))][: int((gain > 0).sum())]
        fresh = [o for o in order.tolist() if not taken[options.group[o]] and o not in tried]
        if not fresh:
            break
        if is_late(deadline):
            return replace(best, complete=False)
        tried.add(fresh[0])
        found, _ = try_selection(convex, np.sort(np.append(best.accepted, fresh[0])))
        if found and found.welfare > best.welfare:
            best = found
    return best
