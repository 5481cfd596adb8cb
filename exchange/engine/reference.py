"""The judge: the best welfare of a book, with and without the rule that no accepted block loses.

A set of accepted block options has prices under which none of them loses if and only if the linear
program in which they may be taken in part (0 to 1), and all others not at all, has the same value
as the one in which they are taken whole: by duality, its prices leave each accepted option a
surplus that is not negative. So the rule is kept by cuts: solve the mixed-integer program, test
its best set, and if the set fails, forbid it.

Which cut: let B be a proved bound on what is still allowed, and M a subset of the failing set
whose linear program is worth more than B. Every set that holds M is worth at most B, but its linear
program is worth more than B, so it fails too: not all of M may be accepted. M is made small
greedily. If the failing set itself is not worth more than B in part (because the search for the
best set was cut short), only this very set is forbidden.
"""

import itertools
import math
import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from exchange.engine.book import MICROS, NO_GROUP, Book, Floats, Ints
from exchange.engine.reference_model import Model, Writer
from exchange.engine.solver import INFINITY, LinearModel, Program, SolverFailed, solve_mip

SETS_MAX: Final = 20_000
_ROUNDS_MAX: Final = 1_000
_TOLERANCE: Final = 1e-7
_FIRST_SHARE: Final = 0.7  # of the time, for the program without cuts
_SECONDS_WORTH_WHILE: Final = 2.0
_HALF: Final = 0.5
_MOSTLY: Final = 0.01  # An option of which the linear program takes less than this is dropped.
_MINUTES: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Best welfares in micro-units: found, and bounds that no allocation can pass.

    ``welfare`` and ``bound`` keep the rule that no accepted block loses; ``free_welfare`` and
    ``free_bound`` do not. Where the search was finished each pair is equal but for tolerances.
    """

    welfare: float
    bound: float
    free_welfare: float
    free_bound: float


class Sets:
    """Values of sets of accepted options: taken whole, or in part. Sets are rows of the options."""

    def __init__(self, model: Model) -> None:
        self.columns = np.array([option.column for option in model.options], dtype=np.int64)
        self._linear = LinearModel(model.program)

    def whole(self, accepted: Ints) -> float | None:
        """Give the welfare with exactly these options; None if they do not fit together."""
        chosen = self._chosen(accepted)
        self._linear.set_bounds(self.columns, chosen, chosen)
        try:
            return -self._linear.solve().objective
        except SolverFailed as error:
            if "Infeasible" in str(error):
                return None
            raise

    def part(self, accepted: Ints) -> tuple[float, Floats]:
        """Give the welfare if these options may be taken in part, and the parts taken."""
        self._linear.set_bounds(self.columns, np.zeros(len(self.columns)), self._chosen(accepted))
        solution = self._linear.solve()
        return -solution.objective, solution.x[self.columns[accepted]]

    def _chosen(self, accepted: Ints) -> Floats:
        chosen = np.zeros(len(self.columns))
        chosen[accepted] = 1.0
        return chosen


def best_by_enumeration(book: Book) -> Reference:
    """Try every set of block options of a tiny book.

    :raises ValueError: if there are more than ``SETS_MAX`` sets
    """
    model = Writer(book).write()
    jobs: dict[tuple[int, int], list[int]] = {}
    for place, option in enumerate(model.options):
        group = int(book.bids.group[option.bid])
        job = (group, option.bid if group == NO_GROUP else -1)
        jobs.setdefault(job, []).append(place)
    choices = [[None, *places] for places in jobs.values()]
    if math.prod(map(len, choices)) > SETS_MAX:
        raise ValueError(f"more than {SETS_MAX} sets of options")
    sets, free, kept = Sets(model), 0.0, 0.0
    for drawn in itertools.product(*choices):
        accepted = np.array([place for place in drawn if place is not None], dtype=np.int64)
        whole = sets.whole(accepted)
        if whole is None:
            continue
        free = max(free, whole)
        if whole > kept and sets.part(accepted)[0] <= whole + _slack(whole):
            kept = whole
    return _in_micros(book, (kept, kept, free, free))


def best_welfare(book: Book, seconds: float | None = None) -> Reference:
    """Search for the best welfare with and without the rule, for at most about ``seconds``."""
    return _Search(book, seconds).run()


class _Search:
    """Masters with more and more cuts, until the best set keeps the rule or time is up."""

    def __init__(self, book: Book, seconds: float | None) -> None:
        self._book = book
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self._model = Writer(book).write()
        self._sets = Sets(self._model)
        self._master = self._model.program
        self._integer = np.zeros(len(self._master.cost), dtype=np.bool_)
        self._integer[self._sets.columns] = True
        nothing = self._sets.whole(np.empty(0, dtype=np.int64))
        assert nothing is not None  # To accept no block is always possible.
        self._kept, self._best_x = nothing, np.zeros(len(self._master.cost))

    def run(self) -> Reference:
        """Search."""
        if not self._model.options:
            return _in_micros(self._book, (self._kept,) * 4)
        accepted, bound, ended = self._solve(_FIRST_SHARE)
        free, free_bound = max(self._kept, self._sets.whole(accepted) or 0.0), bound
        for _ in range(_ROUNDS_MAX):
            if self._try(accepted) or ended:
                break
            bound = min(bound, self._cut_off(accepted, bound))
            accepted, next_bound, ended = self._solve(1.0)
            bound = min(bound, next_bound)
        bound = max(bound, self._kept)
        return _in_micros(self._book, (self._kept, bound, max(free, self._kept), free_bound))

    def _solve(self, share: float) -> tuple[Ints, float, bool]:
        """Give the master's best set, a bound on all that it allows, and whether time is up."""
        left = self._seconds_left()
        seconds = None if left is None else share * left
        found = solve_mip(self._master, self._integer, start=self._best_x, seconds=seconds)
        if found.x is None:
            return np.empty(0, dtype=np.int64), -found.bound, True
        accepted = np.flatnonzero(found.x[self._sets.columns] > _HALF)
        # A set cut off too early may be tested, but the search goes on only with time left.
        ended = found.timed_out and (self._seconds_left() or 0.0) < _SECONDS_WORTH_WHILE
        return accepted, -found.bound, ended

    def _try(self, accepted: Ints) -> bool:
        """Keep the set if no option in it must lose; else keep what is left without losers."""
        first = True
        while True:
            whole, (part, taken) = self._sets.whole(accepted), self._sets.part(accepted)
            if whole is not None and part <= whole + _slack(whole):
                self._keep(accepted, whole)
                return first
            first = False
            # Those taken least lose most; at least one goes, so this ends.
            accepted = accepted[taken > max(taken.min() + _slack(1.0), _MOSTLY)]

    def _keep(self, accepted: Ints, whole: float) -> None:
        if whole > self._kept:
            self._kept = whole
            self._best_x = np.zeros(len(self._master.cost))
            self._best_x[self._sets.columns[accepted]] = 1.0

    def _cut_off(self, accepted: Ints, bound: float) -> float:
        """Forbid a failing set, and give the bound on all that stays allowed."""
        core = accepted
        if self._sets.part(core)[0] <= bound + _slack(bound):
            # Worth no more than others in part: only this very set goes.
            others = np.setdiff1d(np.arange(len(self._sets.columns)), accepted)
            self._add_row(others, accepted, upper=len(accepted) - 1.0)
            return bound
        for place in accepted:
            fewer = core[core != place]
            if self._sets.part(fewer)[0] > bound + _slack(bound):
                core = fewer
        self._add_row(np.empty(0, dtype=np.int64), core, upper=len(core) - 1.0)
        return bound

    def _add_row(self, minus: Ints, plus: Ints, *, upper: float) -> None:
        """Add ``sum of plus - sum of minus <= upper`` over options to the master."""
        columns = np.concatenate([self._sets.columns[minus], self._sets.columns[plus]])
        values = np.concatenate([-np.ones(len(minus)), np.ones(len(plus))])
        self._master = _with_row(self._master, columns, values, upper)

    def _seconds_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())


def _with_row(program: Program, columns: Ints, values: Floats, upper: float) -> Program:
    row = len(program.row_lower)
    return replace(
        program,
        row_lower=np.append(program.row_lower, -INFINITY),
        row_upper=np.append(program.row_upper, upper),
        start=program.start + np.searchsorted(np.sort(columns), np.arange(len(program.start))),
        index=np.insert(program.index, program.start[columns + 1], row),
        value=np.insert(program.value, program.start[columns + 1], values),
    )


def _slack(value: float) -> float:
    return _TOLERANCE * max(1.0, abs(value))


def _in_micros(book: Book, hourly: tuple[float, float, float, float]) -> Reference:
    scale = MICROS * book.period_minutes / _MINUTES
    welfare, bound, free_welfare, free_bound = (value * scale for value in hourly)
    return Reference(welfare=welfare, bound=bound, free_welfare=free_welfare, free_bound=free_bound)
