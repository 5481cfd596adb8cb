"""The only file that knows HiGHS. Every solve is checked: what is not proved is an error or said.

One thread and a fixed seed: the same program gives the same answer. Work is limited by counted
nodes and checks; seconds are a deadline, and a result cut short by it says so.
"""

from dataclasses import dataclass
from typing import Any, Self

import highspy
import numpy as np

from exchange.engine.book import Flags, Floats, Ints

INFINITY = float(highspy.kHighsInf)
TOLERANCE, ROUGH_TOLERANCE = 1e-8, 1e-2  # Relative, of the interior point.
_FEASIBLE = 2  # HiGHS: the primal solution at hand is feasible.


class SolverFailed(Exception):
    """HiGHS stopped without the answer that was asked for; nothing may be cleared from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Minimise ``cost @ x`` over ``row_lower <= A @ x <= row_upper`` and ``lower <= x <= upper``.

    ``A`` is held by columns (CSC): column j has the entries ``start[j]:start[j + 1]`` of
    ``index`` (rows) and ``value``; no row twice in one column. Bounds may be ``+-INFINITY``.
    """

    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    start: Ints
    index: Ints
    value: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class LpSolution:
    """An optimum of a linear program.

    ``row_dual`` is the change of the objective per unit of a row's bound, ``reduced_cost`` the
    same for the columns' bounds.
    """

    objective: float
    x: Floats
    row_dual: Floats
    reduced_cost: Floats
    iterations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MipSolution:
    """What a search found: ``x`` is None where it found nothing.

    ``bound`` is proved for every solution. ``proved``: no solution is better than ``x`` by more
    than the gap asked for (or none exists). ``timed_out``: the deadline, not the work, ended it.
    """

    objective: float
    bound: float
    x: Floats | None
    proved: bool
    timed_out: bool
    nodes: int
    iterations: int


class LinearModel:
    """A linear program that is solved again and again: each solve starts at the last basis."""

    def __init__(self, program: Program, *, presolve: bool = False) -> None:
        self._highs = _load(program)
        self._presolve = presolve

    def set_bounds(self, columns: Ints, lower: Floats, upper: Floats) -> Self:
        """Change the bounds of some columns."""
        index = columns.astype(np.int32)
        self._highs.changeColsBounds(len(index), index, lower, upper)
        return self

    def set_cost(self, columns: Ints, cost: Floats) -> Self:
        """Change the cost of some columns."""
        index = columns.astype(np.int32)
        self._highs.changeColsCost(len(index), index, cost)
        return self

    def add_columns(self, columns: "Program") -> Self:
        """Add columns at the end; the rows of ``columns`` are ignored, they must be known."""
        self._highs.addCols(
            len(columns.cost),
            columns.cost,
            columns.lower,
            columns.upper,
            len(columns.value),
            columns.start[:-1].astype(np.int32),
            columns.index.astype(np.int32),
            columns.value,
        )
        return self

    def add_rows(self, rows: "Program", *, lower: Floats, upper: Floats) -> Self:
        """Add rows at the end: the columns of ``rows``, read as rows over the known columns."""
        self._highs.addRows(
            len(lower),
            lower,
            upper,
            len(rows.value),
            rows.start[:-1].astype(np.int32),
            rows.index.astype(np.int32),
            rows.value,
        )
        return self

    def solve(
        self, *, fresh: bool = False, rough: bool = False, seconds: float | None = None
    ) -> LpSolution:
        """Solve to optimality; ``fresh`` forgets the last basis and presolves.

        ``rough`` (only ``fresh``) stops near the optimum, inside: its duals tell what is missing,
        nothing else may be made of it, and the next solve must be ``fresh``.

        :raises SolverFailed: if the status is anything but optimal, or near it where rough
        """
        assert fresh or not rough
        _limit_seconds(self._highs, seconds)
        if fresh:
            self._highs.clearSolver()
        self._highs.setOptionValue("presolve", "on" if fresh or self._presolve else "off")
        # From nothing, the interior point with its crossover takes half the time of the simplex.
        self._highs.setOptionValue("solver", "ipm" if fresh else "choose")
        self._highs.setOptionValue("run_crossover", "off" if rough else "on")
        tolerance = ROUGH_TOLERANCE if rough else TOLERANCE
        self._highs.setOptionValue("ipm_optimality_tolerance", tolerance)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status == highspy.HighsModelStatus.kUnknown and not rough:
            self._highs.clearSolver()  # A bad basis: once more, from none.
            self._highs.run()
            status = self._highs.getModelStatus()
        near = {highspy.HighsModelStatus.kOptimal}
        if rough:
            near.add(highspy.HighsModelStatus.kUnknown)
        if status not in near:
            raise SolverFailed(f"linear program: {self._highs.modelStatusToString(status)}")
        found = self._highs.getSolution()
        about = self._highs.getInfo()
        return LpSolution(
            objective=float(about.objective_function_value),
            x=np.array(found.col_value),
            row_dual=np.array(found.row_dual),
            reduced_cost=np.array(found.col_dual),
            iterations=max(0, int(about.simplex_iteration_count)),
        )


def solve_lp(
    program: Program, *, presolve: bool = False, seconds: float | None = None
) -> LpSolution:
    """Solve one linear program to optimality.

    Presolve is off unless asked for: on ladders (many columns with one row) it costs more than
    it saves.

    :raises SolverFailed: if the status is anything but optimal
    """
    if not len(program.cost):
        return _solve_empty(program)
    return LinearModel(program, presolve=presolve).solve(seconds=seconds)


def solve_mip(
    program: Program,
    integer: Flags,
    *,
    nodes: int | None = None,
    checks: int | None = None,
    gap: float = 1e-9,
    start: Floats | None = None,
    seconds: float | None = None,
) -> MipSolution:
    """Search for the least ``cost @ x`` with the flagged columns whole.

    ``nodes`` and ``checks`` (how often HiGHS asks whether to go on: several times a node, and also
    while it works at the root) limit the work by counting, so that the same program gives the same
    answer on any machine; ``gap`` is relative. ``start`` is a
    solution to begin with (whole columns decide; the rest is completed).

    :raises SolverFailed: if the search ended in an error, or the program is unbounded
    """
    highs = _load(program)
    columns = np.flatnonzero(integer).astype(np.int32)
    kinds = np.full(len(columns), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
    highs.changeColsIntegrality(len(columns), columns, kinds)
    highs.setOptionValue("mip_rel_gap", gap)
    highs.setOptionValue("mip_abs_gap", 1e-9)
    if nodes is not None:
        highs.setOptionValue("mip_max_nodes", nodes)
    if start is not None:
        highs.setSolution(len(columns), columns, np.round(start[columns]))
    _limit_seconds(highs, seconds)
    if checks is not None:
        _limit_checks(highs, checks)
    highs.run()
    return _read_mip(highs)


def _read_mip(highs: Any) -> MipSolution:
    status, about = highs.getModelStatus(), highs.getInfo()
    known = highspy.HighsModelStatus
    stopped = {
        known.kTimeLimit,
        known.kSolutionLimit,
        known.kInterrupt,
        known.kIterationLimit,
    }
    if status not in stopped | {known.kOptimal, known.kInfeasible}:
        raise SolverFailed(f"mixed-integer program: {highs.modelStatusToString(status)}")
    found = about.primal_solution_status == _FEASIBLE and status != known.kInfeasible
    return MipSolution(
        objective=float(about.objective_function_value) if found else INFINITY,
        bound=INFINITY if status == known.kInfeasible else float(about.mip_dual_bound),
        x=np.array(highs.getSolution().col_value) if found else None,
        proved=status in {known.kOptimal, known.kInfeasible},
        timed_out=status == known.kTimeLimit,
        nodes=max(0, int(about.mip_node_count)),
        iterations=max(0, int(about.simplex_iteration_count)),
    )


def _load(program: Program) -> Any:
    rows, columns = len(program.row_lower), len(program.cost)
    assert len(program.start) == columns + 1
    assert len(program.index) == len(program.value) == int(program.start[-1])
    model: Any = highspy.HighsLp()
    model.num_col_, model.num_row_ = columns, rows
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.lower, program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.num_col_, model.a_matrix_.num_row_ = columns, rows
    model.a_matrix_.start_ = program.start.astype(np.int32)
    model.a_matrix_.index_ = program.index.astype(np.int32)
    model.a_matrix_.value_ = program.value
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 0)
    if highs.passModel(model) == highspy.HighsStatus.kError:
        raise SolverFailed("the program was refused")
    return highs


def _limit_seconds(highs: Any, seconds: float | None) -> None:
    # HiGHS counts its time limit over all solves of one object.
    limit = INFINITY if seconds is None else highs.getRunTime() + max(0.0, seconds)
    highs.setOptionValue("time_limit", limit)


def _limit_checks(highs: Any, checks: int) -> None:
    left = iter(range(checks))

    def stop_when_spent(event: Any) -> None:
        if next(left, None) is None:
            event.interrupt()

    highs.cbMipInterrupt.subscribe(stop_when_spent)


def _solve_empty(program: Program) -> LpSolution:
    if np.any(program.row_lower > 0) or np.any(program.row_upper < 0):
        raise SolverFailed("linear program: Infeasible")
    nothing = np.zeros(0)
    return LpSolution(
        objective=0.0,
        x=nothing,
        row_dual=np.zeros(len(program.row_lower)),
        reduced_cost=nothing,
        iterations=0,
    )
