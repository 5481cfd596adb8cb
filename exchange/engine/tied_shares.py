"""Tied orders share what they get: the lots of one price of a ladder, where one cell serves them.

Rounding looks at pieces one by one, and repairs take lots where they find them. Who gets the lots
of a tie is open until the end: they cost the cell, its links and its power the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, Ints
from exchange.engine.market import Market
from exchange.engine.pieces import Pieces
from exchange.engine.sharing import share_pro_rata


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedShares:
    """What the orders of one step of a demand ladder are due from its one arc and pair, in lots.

    ``rows`` are rows of the demand ladders.
    """

    arc: int
    pair: int
    rows: Ints
    lots: Ints


def misshared_ties(market: Market, pieces: Pieces, lots: Ints) -> Iterator[TiedShares]:
    """Give the ties that one cell serves whose lots are not shared pro rata (market.md, ties).

    Ties whose quantities no whole lots make up are left out: they may be a lot apart.
    """
    ladders = market.demand.ladders
    steps = len(ladders.step_lots)
    used = np.flatnonzero(lots > 0)
    step = ladders.row_step[pieces.row[used]]
    one = np.zeros(steps, dtype=np.int64)
    one[step] = used
    alone = np.zeros(steps, dtype=np.bool_)
    alone[step] = True
    elsewhere = (pieces.arc[used] != pieces.arc[one[step]]) | (
        pieces.pair[used] != pieces.pair[one[step]]
    )
    alone[step[elsewhere]] = False
    total = np.bincount(step, weights=lots[used], minlength=steps).astype(np.int64)
    factor = market.arcs.factor_micros[pieces.arc[one]] if len(pieces.arc) else one
    several = np.bincount(ladders.row_step, minlength=steps) > 1
    partial = total * MICROS < ladders.step_lots * factor
    tied = np.flatnonzero((alone & several & partial)[ladders.row_step])
    tied = tied[np.lexsort((ladders.row_order[tied], ladders.row_step[tied]))]
    key = ladders.row_step[tied]
    weight = market.book.bids.quantity_lots[ladders.row_order[tied]] * factor[key]
    odd = np.bincount(key, weights=weight % MICROS, minlength=steps) > 0
    due = share_pro_rata(key, weight // MICROS, total)
    got = np.zeros(len(ladders.row_step), dtype=np.int64)
    np.add.at(got, pieces.row[used], lots[used])
    wrong = np.unique(key[(due != got[tied]) & ~odd[key]])
    for this in wrong.tolist():
        mine = slice(*np.searchsorted(key, [this, this + 1]).tolist())
        arc, pair = int(pieces.arc[one[this]]), int(pieces.pair[one[this]])
        yield TiedShares(arc=arc, pair=pair, rows=tied[mine], lots=due[mine])
