"""Orders as price ladders: equal prices merged, the best first.

The solver never sees an order. It sees the steps of ladders: supply per cell, demand per want and
period. A volume bid is a ladder of its own in each period of its window, tied by its volume.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import BidKind, Book, Flags, Ints
from exchange.engine.network import Network
from exchange.engine.wants import Wants

NO_VOLUME = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladders:
    """Steps of many ladders; ladder i has the steps ``start[i]:start[i + 1]``, the best first.

    ``key`` names each ladder, sorted. The rows that were stacked are kept: ``row_order`` (an
    index into the book's offers or bids), ``row_period`` and ``row_step`` (where each went).
    """

    key: Ints
    start: Ints
    step_ladder: Ints
    step_ticks: Ints
    step_lots: Ints
    row_order: Ints
    row_period: Ints
    row_step: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """All divisible demand. Per ladder: its sink, and its volume bid or ``NO_VOLUME``.

    A *sink* is where a want is served in a period, whoever wants it: ``sink_want`` and
    ``sink_period``, sorted. ``volume_bid`` are the bids with a volume; ``volume_lots`` what they
    want over all periods.
    """

    ladders: Ladders
    sink: Ints
    sink_want: Ints
    sink_period: Ints
    volume: Ints
    volume_bid: Ints
    volume_lots: Ints


def expand_periods(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """One row per (row, period in its window): two arrays, by row and then by period."""
    lengths = end - first
    rows = np.repeat(np.arange(len(first)), lengths)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return rows, first[rows] + offset


def stack_supply(book: Book) -> Ladders:
    """One ladder per open cell, keyed ``pair * periods + period``, the lowest ask first."""
    offers = book.offers
    rows, period = expand_periods(offers.first, offers.end)
    return _stack(
        book.offer_pair[rows] * book.periods + period,
        (rows, period),
        ticks=offers.price_ticks[rows],
        lots=offers.quantity_lots[rows],
        rising=True,
    )


def stack_demand(book: Book, wants: Wants, network: Network) -> Demand:
    """Ladders of the divisible bids, wherever an open node can serve them; highest limit first.

    Hourly bids share the ladder of their want and period; keys of volume bids follow after them.
    """
    bids, periods = book.bids, book.periods
    rows, period = expand_periods(bids.first, bids.end)
    keep = (bids.kind[rows] != BidKind.BLOCK) & _served(network)[wants.of_bid[rows], period]
    rows, period = rows[keep], period[keep]
    volume_bid = np.flatnonzero(bids.kind == BidKind.VOLUME)
    own = np.searchsorted(volume_bid, rows)
    is_volume = bids.kind[rows] == BidKind.VOLUME
    place = np.where(is_volume, len(wants.sample) + own, wants.of_bid[rows])
    ladders = _stack(
        place * periods + period,
        (rows, period),
        ticks=bids.price_ticks[rows],
        lots=bids.quantity_lots[rows],
        rising=False,
    )
    place = ladders.key // periods
    mine = place >= len(wants.sample)
    volume = np.where(mine, place - len(wants.sample), NO_VOLUME)
    want = place.copy()
    want[mine] = wants.of_bid[volume_bid[volume[mine]]]
    sinks, sink = np.unique(want * periods + ladders.key % periods, return_inverse=True)
    return Demand(
        ladders=ladders,
        sink=sink.astype(np.int64),
        sink_want=sinks // periods,
        sink_period=sinks % periods,
        volume=volume,
        volume_bid=volume_bid,
        volume_lots=bids.volume_lots[volume_bid],
    )


def _served(network: Network) -> Flags:
    """Shape (wants, periods): some way leads to an open node."""
    ways = network.pool_ways
    want = np.repeat(np.arange(len(ways.start) - 1), np.diff(ways.start))
    served = np.zeros((len(ways.start) - 1, network.open_nodes.shape[1]), dtype=np.bool_)
    np.logical_or.at(served, want, network.open_nodes[ways.node])
    return served


def _stack(key: Ints, rows: tuple[Ints, Ints], *, ticks: Ints, lots: Ints, rising: bool) -> Ladders:
    order = np.lexsort((ticks if rising else -ticks, key))
    key, ticks = key[order], ticks[order]
    new_ladder = np.diff(key, prepend=-1) != 0
    new_step = new_ladder | (np.diff(ticks, prepend=-1) != 0)
    step = np.cumsum(new_step) - 1
    row_step = np.empty(len(order), dtype=np.int64)
    row_step[order] = step
    first = np.flatnonzero(new_step)
    ladder_of_step = (np.cumsum(new_ladder) - 1)[first]
    ladders = int(new_ladder.sum())
    return Ladders(
        key=key[new_ladder],
        start=np.searchsorted(ladder_of_step, np.arange(ladders + 1)).astype(np.int64),
        step_ladder=ladder_of_step,
        step_ticks=ticks[first],
        step_lots=np.add.reduceat(lots[order], first) if len(first) else lots[:0],
        row_order=rows[0],
        row_period=rows[1],
        row_step=row_step,
    )
