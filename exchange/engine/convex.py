"""The linear program of a book, solved by generating arcs and options as their prices ask.

With blocks free between 0 and 1 this is the relaxation: its value is a bound on every allocation,
its duals prove it. With only accepted blocks free it is the market that prices them.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, Flags, Floats, Ints
from exchange.engine.deadline import is_late
from exchange.engine.market import (
    NO_ROW,
    Duals,
    Market,
    arc_columns,
    feed_columns,
    join_columns,
    lead_options,
    option_columns,
    supply_columns,
)
from exchange.engine.segments import Segments
from exchange.engine.solver import LinearModel, LpSolution

NO_COLUMN = -1
ROUNDS_MAX = 500  # Rounds of generation; each adds a column or is the last.
GAIN_MIN = 1e-7  # Currency per hour, per unit of an arc or per option; above the solver's own.
ALL_ARCS = 4_000  # So many arcs are given to the solver at once.
ARCS_FIRST, ARCS_A_ROUND = 5, 5
OPTIONS_FIRST, OPTIONS_A_ROUND = 10, 12
# With more jobs than that each has little to say: prices without them are a better beginning.
MANY_JOBS, OPTIONS_A_ROUND_MANY = 500, 4
HARD_ROWS = 5_000  # With so many rows beside the jobs' own, the interior point beats the simplex.
# From so many columns a relaxation may miss ENOUGH of the welfare, since any duals prove a bound,
# and while ROUGH of it or more is missing it is solved roughly.
LARGE_COLUMNS, ENOUGH, ROUGH = 20_000, 1e-3, 0.05
FEW_NEW = 0.02  # A share of the columns: with fewer new ones the last basis is a good start.


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """An optimum of the linear program: welfare per hour, flows and duals.

    ``supply`` and ``steps`` are per step of the ladders, ``arcs`` and ``options`` per row of the
    market's tables (zero where no column was made).
    """

    welfare: float
    supply: Floats
    feeds: Floats
    steps: Floats
    arcs: Floats
    options: Floats
    duals: Duals


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Rows of a table that the program lacks, and at most how much welfare they would add."""

    rows: Ints
    worth: float

    @classmethod
    def nothing(cls) -> "_Wanted":
        return cls(np.zeros(0, dtype=np.int64), 0.0)


class Convex:
    """The linear program of one market, kept warm between solves."""

    def __init__(self, market: Market, *, arcs: Ints | None = None) -> None:
        self.market = market
        self._segments = Segments(market)
        fixed = [supply_columns(market), feed_columns(market)]
        self._parts = np.cumsum([0] + [len(part.cost) for part in fixed])
        self._columns = int(self._parts[-1])
        self._arc_column = np.full(len(market.arcs.sink), NO_COLUMN, dtype=np.int64)
        self._option_column = np.full(len(market.options.block), NO_COLUMN, dtype=np.int64)
        self._lead = lead_options(market)
        self._sink_units = _sink_units(market)
        self._open_options = np.zeros(len(market.options.block), dtype=np.bool_)
        self._solved = False
        self._model = LinearModel(join_columns(fixed))
        self._add_segments(np.arange(len(self._segments)))
        self._add_arcs(self._first_arcs() if arcs is None else arcs)

    @property
    def columns(self) -> int:
        """How many columns the program has by now."""
        return self._columns

    @property
    def _is_hard(self) -> bool:
        rows = len(self.market.rows.lower) - self.market.options.groups
        return self._columns > LARGE_COLUMNS and rows > HARD_ROWS

    @property
    def known_options(self) -> Ints:
        """Options that have a column."""
        return np.flatnonzero(self._option_column != NO_COLUMN)

    @property
    def known_arcs(self) -> Ints:
        """Arcs that have a column."""
        return np.flatnonzero(self._arc_column != NO_COLUMN)

    def relax(self, deadline: float | None = None) -> Optimum:
        """Solve with every option free between 0 and 1; late, with those that it has by then.

        Without any option this is the market itself, and is solved to its end.
        """
        if not len(self.known_options):
            self._add_options(self._first_options())
        known = self.known_options
        self._bound_options(np.zeros(len(known)), np.ones(len(known)))
        return self._generate(options=bool(len(self._lead)), deadline=deadline)

    def solve_with(self, accepted: Ints, *, fixed: bool = False) -> Optimum:
        """Solve with only the accepted options: free in [0, 1], or fixed at 1."""
        missing = accepted[self._option_column[accepted] == NO_COLUMN]
        self._add_options(missing)
        upper = np.isin(self.known_options, accepted).astype(np.float64)
        lower = upper if fixed else np.zeros(len(upper))
        moved = self._bound_options(lower, upper)
        return self._generate(
            options=False, fresh=self._is_hard and moved > FEW_NEW * self._columns
        )

    def _bound_options(self, lower: Floats, upper: Floats) -> int:
        """Bound the known options; gives of how many it changed whether they may be taken."""
        known = self.known_options
        moved = int((self._open_options[known] != (upper > 0)).sum())
        self._open_options[known] = upper > 0
        self._model.set_bounds(self._option_column[known], lower, upper)
        return moved

    def _generate(
        self, *, options: bool, fresh: bool = False, deadline: float | None = None
    ) -> Optimum:
        """Solve, add what the duals find too cheap, and solve again until nothing is.

        A large relaxation begins with rough solves, whose duals are as good a guide, and ends when
        what is missing proves to be worth little.
        """
        large = options and self._columns > LARGE_COLUMNS
        rough = large and self._is_hard and not self._solved
        fresh = fresh or (self._is_hard and not self._solved)
        solution = self._model.solve(fresh=fresh, rough=rough)
        self._solved = True
        for _ in range(ROUNDS_MAX):
            duals = read_duals(self.market, solution.row_dual)
            arcs = self._wanted_arcs(duals)
            wanted = self._wanted_options(duals) if options else _Wanted.nothing()
            cut = self._segments.worth_cutting(duals)
            worth = arcs.worth + wanted.worth + cut.worth
            little = worth <= (ENOUGH * abs(solution.objective) if large else 0.0)
            late = options and is_late(deadline)
            if not rough and (late or (little and (large or not len(cut.segments)))):
                break
            opened = self._segments.cut(cut)
            self._close_segments(cut.segments)
            self._add_segments(opened)
            self._add_arcs(arcs.rows)
            self._add_options(wanted.rows)
            many = len(arcs.rows) + len(wanted.rows) + len(opened) > FEW_NEW * self._columns
            fresh = rough or (many and self._is_hard)
            rough = rough and not late and worth > ROUGH * abs(solution.objective)
            solution = self._model.solve(fresh=fresh, rough=rough)
        return self._read(solution)

    def _wanted_arcs(self, duals: Duals) -> "_Wanted":
        """Arcs that would serve a sink for less, and at most what they would be worth."""
        arcs = self.market.arcs
        if (self._arc_column != NO_COLUMN).all():
            return _Wanted.nothing()
        gain = duals.sinks[arcs.sink] - arc_costs(self.market, duals)
        new = np.flatnonzero((gain > GAIN_MIN) & (self._arc_column == NO_COLUMN))
        best = np.zeros(len(duals.sinks))
        np.maximum.at(best, arcs.sink[new], gain[new])
        return _Wanted(
            rows=best_of_each(new, arcs.sink[new], gain[new], count=ARCS_A_ROUND),
            worth=float(best @ self._sink_units),
        )

    def _wanted_options(self, duals: Duals) -> "_Wanted":
        """Options that would gain more than their group does, and at most what they would add."""
        options = self.market.options
        gain = option_gains(self.market, duals) - duals.groups[options.group]
        unknown = self._lead & (self._option_column == NO_COLUMN)
        new = np.flatnonzero(unknown & (gain > GAIN_MIN))
        best = np.zeros(options.groups)
        each = OPTIONS_A_ROUND_MANY if has_many_jobs(self.market) else OPTIONS_A_ROUND
        np.maximum.at(best, options.group[new], gain[new])
        return _Wanted(
            rows=best_of_each(new, options.block[new], gain[new], count=each),
            worth=float(best.sum()),
        )

    def _first_arcs(self) -> Ints:
        arcs = self.market.arcs
        every = np.arange(len(arcs.sink))
        if len(every) <= ALL_ARCS:
            return every
        cost = arc_costs(self.market, self._first_duals())
        return best_of_each(every, arcs.sink, -cost, count=ARCS_FIRST)

    def _first_options(self) -> Ints:
        options = self.market.options
        if has_many_jobs(self.market):
            return np.zeros(0, dtype=np.int64)
        gain = option_gains(self.market, self._first_duals())
        return best_of_each(np.arange(len(options.block)), options.block, gain, count=OPTIONS_FIRST)

    def _first_duals(self) -> Duals:
        """Every node at its lowest ask: a guess to begin with."""
        market = self.market
        network, book, supply = market.network, market.book, market.supply
        nodes = np.full(network.open_nodes.shape, np.inf)
        lowest = supply.step_ticks[supply.start[:-1]] / 1_000
        nodes[np.divmod(supply.key, book.periods)] = lowest
        nodes = lowest_inside(market, nodes)
        return Duals(
            nodes=nodes,
            links=np.zeros(market.rows.link.shape),
            power=np.zeros(market.rows.power.shape),
            policy=0.0,
            sinks=np.zeros(len(market.demand.sink_want)),
            groups=np.zeros(market.options.groups),
            rows=np.zeros(len(market.rows.lower)),
        )

    def _add_segments(self, chosen: Ints) -> None:
        if len(chosen):
            self._model.add_columns(self._segments.columns(chosen))
            self._segments.column[chosen] = self._columns + np.arange(len(chosen))
            self._columns += len(chosen)

    def _close_segments(self, chosen: Ints) -> None:
        if len(chosen):
            nothing = np.zeros(len(chosen))
            self._model.set_bounds(self._segments.column[chosen], nothing, nothing)

    def _add_arcs(self, chosen: Ints) -> None:
        if len(chosen):
            self._model.add_columns(arc_columns(self.market, chosen))
            self._arc_column[chosen] = self._columns + np.arange(len(chosen))
            self._columns += len(chosen)

    def _add_options(self, chosen: Ints) -> None:
        if len(chosen):
            self._model.add_columns(option_columns(self.market, chosen))
            self._option_column[chosen] = self._columns + np.arange(len(chosen))
            self._open_options[chosen] = True
            self._columns += len(chosen)

    def _read(self, solution: LpSolution) -> Optimum:
        a, b, c = self._parts
        return Optimum(
            welfare=-solution.objective,
            supply=solution.x[a:b],
            feeds=solution.x[b:c],
            steps=self._segments.spread(solution.x),
            arcs=_spread(solution.x, self._arc_column),
            options=_spread(solution.x, self._option_column),
            duals=read_duals(self.market, solution.row_dual),
        )


def has_many_jobs(market: Market) -> bool:
    """Whether no single job says much: programs are large then, and need not be as close."""
    return market.options.groups > MANY_JOBS


def read_duals(market: Market, y: Floats) -> Duals:
    """Prices out of the rows' duals."""
    rows = market.rows
    return Duals(
        nodes=np.where(rows.node == NO_ROW, np.inf, y[rows.node]),
        links=np.where(rows.link == NO_ROW, 0.0, np.maximum(0.0, -y[rows.link])),
        power=np.where(rows.power == NO_ROW, 0.0, np.maximum(0.0, -y[rows.power])),
        policy=0.0 if rows.policy == NO_ROW else max(0.0, float(y[rows.policy])),
        sinks=y[rows.sink],
        groups=np.maximum(0.0, -y[rows.group]),
        rows=y,
    )


def _sink_units(market: Market) -> Floats:
    """The most units that each sink could take."""
    demand = market.demand
    sink = demand.sink[demand.ladders.step_ladder]
    lots = demand.ladders.step_lots
    return np.bincount(sink, weights=lots, minlength=len(demand.sink_want)) / LOTS_PER_UNIT


def lowest_inside(market: Market, nodes: Floats) -> Floats:
    """Classes and pools at the lowest price among the pairs that they draw from."""
    network = market.network
    pairs = len(network.pair_region)
    nodes = nodes.copy()
    nodes[pairs:] = np.inf
    for _ in range(len(nodes)):
        before = nodes.copy()
        np.minimum.at(nodes, network.feed_to, nodes[network.feed_from])
        if np.array_equal(before, nodes):
            break
    return nodes


def arc_costs(market: Market, duals: Duals) -> Floats:
    """What one unit costs over each arc at these prices."""
    arcs = market.arcs
    over_links = route_prices(market, duals.links)[arcs.route, arcs.period]
    return arcs.factor * (duals.nodes[arcs.node, arcs.period] + arcs.gbps * over_links)


def option_gains(market: Market, duals: Duals) -> Floats:
    """What each option would gain at these prices, by prefix sums over the periods."""
    options = market.options
    pairs = len(market.network.pair_region)
    cells = np.where(np.isfinite(duals.nodes[:pairs]), duals.nodes[:pairs], 0.0)
    at_site = _windows(cells, options.pair, (options.first, options.end))
    over_links = _windows(
        route_prices(market, duals.links), options.route, (options.first, options.end)
    )
    return options.value - options.need * (at_site + options.gbps * over_links)


def route_prices(market: Market, links: Floats) -> Floats:
    """Shape (routes, periods): the price of one Gbps over each route."""
    limited = market.network.route_limited
    return np.array([links[mine].sum(axis=0) for mine in limited]).reshape(-1, links.shape[1])


def best_of_each(rows: Ints, key: Ints, gain: Floats, *, count: int) -> Ints:
    """Of the rows with the same key, the ``count`` with the greatest gain; sorted."""
    order = np.lexsort((-gain, key))
    key = key[order]
    new = np.flatnonzero(np.diff(key, prepend=-1) != 0)
    rank = np.arange(len(order)) - np.repeat(new, np.diff(np.append(new, len(order))))
    return np.sort(rows[order[rank < count]])


def _windows(prices: Floats, row: Ints, window: tuple[Ints, Ints]) -> Floats:
    upto = np.concatenate([np.zeros((len(prices), 1)), prices.cumsum(axis=1)], axis=1)
    return np.asarray(upto[row, window[1]] - upto[row, window[0]])


def _spread(x: Floats, column: Ints) -> Floats:
    present: Flags = column != NO_COLUMN
    spread = np.zeros(len(column))
    spread[present] = x[column[present]]
    return spread
