"""The prices that support an allocation, as a polyhedron: the rows a price must obey.

A price supports an optimum of the linear program when every column agrees with it: nothing unused
would gain, nothing full would lose, what is used in part is indifferent (complementary slackness).
These are the program's columns read as rows over its duals.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, Flags, Floats, Ints
from exchange.engine.convex import Optimum
from exchange.engine.ladders import Ladders
from exchange.engine.market import (
    NO_ROW,
    Market,
    demand_columns,
    feed_columns,
    join_columns,
    open_feeds,
    supply_columns,
    take_columns,
)
from exchange.engine.solver import INFINITY, Program

TINY = 2e-7  # Accelerators or units: twice what the solver may be off by.


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Rows over the duals ``y``: ``lower <= A @ y <= upper``, A by rows as a program's columns."""

    columns: Program
    lower: Floats
    upper: Floats


def traded_cells(market: Market, optimum: Optimum) -> Flags:
    """Shape (pairs, periods): the cells that sold something."""
    sold = np.zeros(market.book.open_cells.shape, dtype=np.float64)
    cell = np.divmod(market.supply.key[market.supply.step_ladder], market.book.periods)
    np.add.at(sold, cell, optimum.supply)
    return np.asarray(sold > TINY)


def base_terms(market: Market, optimum: Optimum, pinned: Flags) -> list[Terms]:
    """What supply, feeds and demand ask of the prices."""
    return [
        _supply_terms(market, optimum, pinned),
        _feed_terms(market, optimum),
        _ladder_terms(market.demand.ladders, demand_columns(market), optimum.steps),
    ]


def _feed_terms(market: Market, optimum: Optimum) -> Terms:
    """What a node costs is what its sellers get and what their limits cost, sold or not."""
    terms = column_terms(feed_columns(market), optimum.feeds, np.inf)
    lower = terms.lower.copy()
    lower[len(open_feeds(market)[0]) :] = 0.0
    return Terms(columns=terms.columns, lower=lower, upper=terms.upper)


def _supply_terms(market: Market, optimum: Optimum, pinned: Flags) -> Terms:
    """Where nothing is sold, the price is the highest that supports: the lowest ask itself."""
    ladders = market.supply
    terms = _ladder_terms(ladders, supply_columns(market), optimum.supply)
    ladder = ladders.step_ladder[_edges(ladders, optimum.supply)]
    row = market.rows.sale[np.divmod(ladders.key, market.book.periods)][ladder]
    sells = traded_cells(market, optimum)[np.divmod(ladders.key, market.book.periods)][ladder]
    idle = np.ones(len(market.rows.lower), dtype=np.bool_)
    idle[row[sells]] = False
    idle[_mixed_rows(market)] = False
    lowest = np.full(len(market.rows.lower), np.inf)
    np.minimum.at(lowest, row, terms.columns.cost)
    tight = idle[row] & (terms.columns.cost == lowest[row])
    kept = _edges(ladders, optimum.supply)
    sold = np.where(optimum.supply[kept] > TINY, terms.columns.cost, -np.inf)
    highest = np.full(len(market.rows.lower), -np.inf)
    np.maximum.at(highest, row, sold)
    at_pin = np.zeros(len(market.rows.lower), dtype=np.bool_)
    at_pin[row[pinned[np.divmod(ladders.key, market.book.periods)][ladder]]] = True
    pin = at_pin[row] & (sold == highest[row])
    return Terms(
        columns=terms.columns,
        lower=np.where(tight, terms.columns.cost, terms.lower),
        upper=np.where(pin, terms.columns.cost, terms.upper),
    )


def _mixed_rows(market: Market) -> Ints:
    """Sale rows of classes with split cells: these too bound the price there, from above."""
    rows, network = market.rows, market.network
    node = rows.node
    alone = node[: len(network.pair_class)] != node[network.pair_class]
    mixed = np.zeros(network.open_nodes.shape, dtype=np.bool_)
    np.logical_or.at(mixed, network.pair_class, alone & (rows.sale != NO_ROW))
    return np.asarray(rows.sale[mixed[network.pair_class] & ~alone & (rows.sale != NO_ROW)])


def _ladder_terms(ladders: Ladders, columns: Program, x: Floats) -> Terms:
    """Of a ladder, the last step used and the first not full say it all."""
    kept = _edges(ladders, x)
    full = ladders.step_lots[kept] / LOTS_PER_UNIT
    return column_terms(take_columns(columns, kept), x[kept], full)


def _edges(ladders: Ladders, x: Floats) -> Ints:
    step = np.arange(len(x))
    used = x > TINY
    short = x < ladders.step_lots / LOTS_PER_UNIT - TINY
    last = np.zeros(len(ladders.key), dtype=np.int64) - 1
    np.maximum.at(last, ladders.step_ladder[used], step[used])
    first = np.full(len(ladders.key), len(x), dtype=np.int64)
    np.minimum.at(first, ladders.step_ladder[short], step[short])
    return np.unique(np.concatenate([last[last >= 0], first[first < len(x)]]))


def column_terms(columns: Program, x: Floats, full: Floats | float) -> Terms:
    """Columns as rows over the duals: unused must not gain, full must not lose."""
    used, short = x > TINY, x < full - TINY
    return Terms(
        columns=columns,
        lower=np.where(used, columns.cost, -INFINITY),
        upper=np.where(short, columns.cost, INFINITY),
    )


def join_terms(parts: list[Terms]) -> Terms:
    """All rows one after another."""
    return Terms(
        columns=join_columns([part.columns for part in parts]),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
    )
