"""The price rule: no order loses; then least regret; then the middle.

A price vector is a point of the polyhedron of ``support``. A few linear programs over it find the
least total regret, then the prices of least and of greatest sum; the clearing price is the middle
between these two.
"""

from dataclasses import replace
from functools import cached_property

import numpy as np

from exchange.engine.book import TICKS_PER_UNIT, Flags, Floats, Ints
from exchange.engine.convex import (
    Convex,
    Optimum,
    arc_costs,
    best_of_each,
    lowest_inside,
    option_gains,
    read_duals,
)
from exchange.engine.market import (
    NO_ROW,
    Duals,
    activity,
    arc_columns,
    demand_columns,
    feed_columns,
    lead_options,
    option_columns,
    supply_columns,
)
from exchange.engine.solver import INFINITY, LinearModel, Program, SolverFailed
from exchange.engine.support import (
    TINY,
    Terms,
    base_terms,
    column_terms,
    join_terms,
    traded_cells,
)

ROUNDS_MAX = 500
LARGE_ROWS = 10_000  # With so many prices the interior point finds the first ones sooner.
BROKEN = 1e-6  # Currency per hour: rows broken by less are kept.


class Pricing:
    """Prices that support one allocation: an optimum and the options accepted in it.

    In ``pinned`` cells (pairs, periods) the price is the highest ask that sells, where that
    supports: so that a seller there takes a lot less without regret.
    """

    def __init__(
        self, convex: Convex, optimum: Optimum, accepted: Ints, pinned: Flags | None = None
    ) -> None:
        self._market = market = convex.market
        self._optimum, self._accepted = optimum, accepted
        self._traded = traded_cells(market, optimum)
        self._lead = lead_options(market)
        self._pinned = np.zeros_like(self._traded) if pinned is None else pinned
        self._arcs = np.zeros(len(market.arcs.sink), dtype=np.bool_)
        self._options = np.zeros(len(market.options.block), dtype=np.bool_)
        self._arcs[convex.known_arcs] = True
        self._options[accepted] = True
        self._model = self._build()
        self._is_large = len(market.rows.lower) > LARGE_ROWS
        self._solved = False

    def choose(self, share: float = 0.5) -> Duals:
        """Find the prices of the rule: ``share`` of the way from the least to the greatest."""
        least, greatest = self._interval
        return self._at_asks(read_duals(self._market, least + share * (greatest - least)))

    @cached_property
    def _interval(self) -> tuple[Floats, Floats]:
        """Prices of the least and of the greatest sum."""
        if self._market.options.groups:
            self._keep_regret_least()
        try:
            return self._extreme(1.0), self._extreme(-1.0)
        except SolverFailed:  # Nothing bounds the share's price, nor what it takes off a cell.
            self._keep_share_least()
            return self._extreme(1.0), self._extreme(-1.0)

    def _at_asks(self, duals: Duals) -> Duals:
        """Cells that sell nothing: the highest price that supports is their own lowest ask."""
        market = self._market
        book, network, supply = market.book, market.network, market.supply
        idle = ~self._traded[np.divmod(supply.key, book.periods)]
        pair, period = np.divmod(supply.key[idle], book.periods)
        power = duals.power[network.pair_region[pair], period]
        ask = supply.step_ticks[supply.start[:-1][idle]] / TICKS_PER_UNIT
        nodes = duals.nodes.copy()
        nodes[pair, period] = ask + network.kw[pair] * power - network.policy[pair] * duals.policy
        return replace(duals, nodes=lowest_inside(market, nodes))

    def _build(self) -> LinearModel:
        market, x = self._market, self._optimum
        known = np.flatnonzero(self._arcs)
        accepted = option_columns(market, self._accepted, convex=False)
        no_loss = Terms(
            columns=accepted,
            lower=accepted.cost,
            upper=np.full(len(accepted.cost), INFINITY),
        )
        terms = join_terms(
            [
                *base_terms(market, x, self._pinned),
                column_terms(arc_columns(market, known), x.arcs[known], np.inf),
                no_loss,
                self._no_gain(self._accepted),
            ]
        )
        lower, upper = self._bounds()
        empty = Program(
            cost=np.zeros(len(lower)),
            lower=lower,
            upper=upper,
            row_lower=np.zeros(0),
            row_upper=np.zeros(0),
            start=np.zeros(len(lower) + 1, dtype=np.int64),
            index=np.zeros(0, dtype=np.int64),
            value=np.zeros(0),
        )
        model = LinearModel(empty)
        return model.add_rows(terms.columns, lower=terms.lower, upper=terms.upper)

    def _bounds(self) -> tuple[Floats, Floats]:
        """A limit has a price only where it is full; so have volumes."""
        rows = self._market.rows
        slack = self._slack()
        lower, upper = np.full(len(slack), -INFINITY), np.full(len(slack), INFINITY)
        for limited in (rows.link, rows.power, rows.volume):
            row = limited[limited != NO_ROW]
            lower[row] = np.where(slack[row] > TINY, 0.0, -INFINITY)
            upper[row] = 0.0
        upper[rows.group] = 0.0
        floor = 0.0
        if rows.policy != NO_ROW:
            binds = slack[rows.policy] <= TINY
            lower[rows.policy], upper[rows.policy] = 0.0, INFINITY if binds else 0.0
            floor = -INFINITY if binds else 0.0
        lower[rows.node[rows.node != NO_ROW]] = floor
        return lower, upper

    def _slack(self) -> Floats:
        """How far each row is from its limit."""
        market, x = self._market, self._optimum
        arcs, options = np.flatnonzero(x.arcs > 0), np.flatnonzero(x.options > 0)
        used = activity(supply_columns(market), x.supply)
        used += activity(feed_columns(market), x.feeds)
        used += activity(demand_columns(market), x.steps)
        used += activity(arc_columns(market, arcs), x.arcs[arcs])
        used += activity(option_columns(market, options), x.options[options])
        rows = market.rows
        return np.where(np.isfinite(rows.upper), rows.upper - used, used - rows.lower)

    def _no_gain(self, chosen: Ints) -> Terms:
        """Rows that define a group's best surplus: no option of it gains more."""
        columns = option_columns(self._market, chosen)
        return Terms(columns=columns, lower=np.full(len(chosen), -INFINITY), upper=columns.cost)

    def _keep_regret_least(self) -> None:
        """Find the least total regret, and let no later price exceed it."""
        market = self._market
        cost = np.zeros(len(market.rows.lower))
        cost[market.rows.group] = -1.0
        accepted = option_columns(market, self._accepted, convex=False)
        cost -= activity(accepted, np.ones(len(self._accepted)))
        every = np.arange(len(cost))
        self._model.set_cost(every, cost)
        least, _ = self._solve()
        used = np.flatnonzero(cost)
        row = Program(
            cost=np.zeros(1),
            lower=np.zeros(1),
            upper=np.zeros(1),
            row_lower=market.rows.lower,
            row_upper=market.rows.upper,
            start=np.array([0, len(used)]),
            index=used,
            value=cost[used],
        )
        room = least + BROKEN * max(1.0, abs(least) * BROKEN)
        self._model.add_rows(row, lower=np.array([-INFINITY]), upper=np.array([room]))
        self._model.set_cost(every, np.zeros(len(cost)))

    def _keep_share_least(self) -> None:
        """Find the least price of the domestic share that supports, and hold it there."""
        row = np.array([self._market.rows.policy])
        cost = np.zeros(len(self._market.rows.lower))
        cost[row] = 1.0
        self._model.set_cost(np.arange(len(cost)), cost)
        least = np.maximum(0.0, self._solve()[1][row])
        self._model.set_bounds(row, least, least)

    def _extreme(self, sign: float) -> Floats:
        """Prices of the least (1) or greatest (-1) sum over the cells that sell something."""
        rows = self._market.rows.node[: len(self._traded)][self._traded]
        cost = np.zeros(len(self._market.rows.lower))
        np.add.at(cost, rows, sign)
        self._model.set_cost(np.arange(len(cost)), cost)
        return self._solve()[1]

    def _solve(self) -> tuple[float, Floats]:
        """Solve, add the arcs and options whose rows the answer breaks, and solve again."""
        for _ in range(ROUNDS_MAX):
            solution = self._model.solve(fresh=not self._solved and self._is_large)
            self._solved = True
            if not self._add_broken(solution.x):
                return solution.objective, solution.x
        raise SolverFailed("the prices never settled")

    def _add_broken(self, y: Floats) -> bool:
        market, duals = self._market, read_duals(self._market, y)
        gain = duals.sinks[market.arcs.sink] - arc_costs(market, duals)
        broken = np.flatnonzero(~self._arcs & (gain > BROKEN))
        arcs = best_of_each(broken, market.arcs.sink[broken], gain[broken], count=2)
        if len(arcs):
            columns = arc_columns(market, arcs)
            self._model.add_rows(columns, lower=np.full(len(arcs), -INFINITY), upper=columns.cost)
            self._arcs[arcs] = True
        options = self._broken_options(duals, self._options)
        if len(options):
            terms = self._no_gain(options)
            self._model.add_rows(terms.columns, lower=terms.lower, upper=terms.upper)
            self._options[options] = True
        return bool(len(arcs) + len(options))

    def _broken_options(self, duals: Duals, known: Flags) -> Ints:
        options = self._market.options
        gain = option_gains(self._market, duals) - duals.groups[options.group]
        broken = np.flatnonzero(~known & self._lead & (gain > BROKEN))
        return best_of_each(broken, options.block[broken], gain[broken], count=3)
