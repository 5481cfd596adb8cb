"""Every way in which demand may be served: arcs for divisible ladders, options for blocks.

These tables are complete; a linear program holds only the few rows of them that may be used.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, NO_GROUP, UNLIMITED, BidKind, Book, Flags, Floats, Ints
from exchange.engine.ladders import Demand, expand_periods
from exchange.engine.network import Network, Ways
from exchange.engine.wants import Wants


@dataclass(frozen=True, slots=True, kw_only=True)
class Arcs:
    """One row per (sink of demand, way open in its period), sorted so.

    One unit takes ``factor`` accelerators of ``node`` and ``gbps`` each over ``route``.
    """

    start: Ints  # sink d has the arcs start[d]:start[d + 1]
    sink: Ints
    period: Ints
    node: Ints
    route: Ints
    factor_micros: Ints
    gbps: Floats

    @property
    def factor(self) -> Floats:
        """Accelerators per unit."""
        return self.factor_micros / MICROS


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One row per (block, pair, route, first period) that the capacity there can hold, sorted so.

    ``need`` is in whole accelerators; ``gbps`` per accelerator; ``value`` the limit price of the
    whole block, in currency per hour of one period; ``group`` numbers the alternatives of a job,
    blocks without a group each their own.
    """

    block: Ints
    pair: Ints
    route: Ints
    first: Ints
    end: Ints
    need: Ints
    gbps: Floats
    value: Floats
    group: Ints
    groups: int


def list_arcs(book: Book, network: Network, wants: Wants, demand: Demand) -> Arcs:
    """Every way that each sink may be served."""
    ways = network.pool_ways
    sink, way = _expand_ways(ways, demand.sink_want)
    keep = network.open_nodes[ways.node[way], demand.sink_period[sink]]
    sink, way = sink[keep], way[keep]
    gbps = book.bids.gbps_micros[wants.sample[demand.sink_want]] / MICROS
    return Arcs(
        start=np.searchsorted(sink, np.arange(len(demand.sink_want) + 1)).astype(np.int64),
        sink=sink,
        period=demand.sink_period[sink],
        node=ways.node[way],
        route=ways.route[way],
        factor_micros=ways.factor_micros[way],
        gbps=gbps[sink],
    )


def list_options(book: Book, network: Network, wants: Wants) -> Options:
    """Every place and time that could hold each block were it alone."""
    bids, ways = book.bids, network.pair_ways
    blocks = np.flatnonzero(bids.kind == BidKind.BLOCK)
    row, way = _expand_ways(ways, wants.of_bid[blocks])
    block = blocks[row]
    # A block of u units at factor f takes ceil(u x f) whole accelerators; lots are thousandths.
    need = -(-bids.quantity_lots[block] * ways.factor_micros[way] // (1_000 * MICROS))
    fits = _fits(book, network, (block, way, need))
    row, first = expand_periods(bids.first[block], bids.end[block] - bids.duration[block] + 1)
    gone = np.concatenate([np.zeros((len(block), 1), np.int64), fits.cumsum(axis=1)], axis=1)
    end = first + bids.duration[block[row]]
    keep = gone[row, end] - gone[row, first] == end - first
    row, first, end = row[keep], first[keep], end[keep]
    block, way = block[row], way[row]
    group, groups = _number_groups(bids.group[block], block)
    return Options(
        block=block,
        pair=ways.node[way],
        route=ways.route[way],
        first=first,
        end=end,
        need=need[row],
        gbps=bids.gbps_micros[block] / MICROS,
        value=(bids.price_ticks[block] * bids.quantity_lots[block]) / MICROS * (end - first),
        group=group,
        groups=groups,
    )


def _expand_ways(ways: Ways, want: Ints) -> tuple[Ints, Ints]:
    """(row, way) for every way of every row's want."""
    return expand_periods(ways.start[want], ways.start[want + 1])


def _number_groups(group: Ints, block: Ints) -> tuple[Ints, int]:
    own = np.where(group == NO_GROUP, block, group + int(block.max(initial=0)) + 1)
    names, number = np.unique(own, return_inverse=True)
    return number.astype(np.int64), len(names)


def _fits(book: Book, network: Network, rows: tuple[Ints, Ints, Ints]) -> Flags:
    """Shape (rows, periods): the pair, its region's power and the route could carry the block."""
    block, way, need = rows
    pair, route = network.pair_ways.node[way], network.pair_ways.route[way]
    fits = book.capacity_lots[pair] >= need[:, None] * 1_000
    power = np.where(book.power_kw_micros == UNLIMITED, np.inf, book.power_kw_micros / MICROS)
    fits &= power[network.pair_region[pair]] * (1 + 1e-12) >= (network.kw[pair] * need)[:, None]
    gbps = book.bids.gbps_micros[block] * need
    room = np.where(book.link_gbps_micros == UNLIMITED, np.iinfo(np.int64).max, 0)
    room += np.where(book.link_gbps_micros == UNLIMITED, 0, book.link_gbps_micros)
    for number, links in enumerate(network.route_limited):
        mine = route == number
        if len(links) and mine.any():
            fits[mine] &= room[links].min(axis=0)[None, :] >= gbps[mine, None]
    return np.asarray(fits)
