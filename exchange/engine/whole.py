"""Whole lots by a small integer program, where rounding down would leave a seller short.

Each piece is rounded down or up, at worst some lots further; cells keep what their sellers are
owed, orders that are whole stay whole to less than a lot per cell used, and every limit holds.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, UNLIMITED, BidKind, Flags, Floats, Ints
from exchange.engine.market import Entries, Market
from exchange.engine.outcome import Prices
from exchange.engine.pieces import Pieces
from exchange.engine.sharing import FINE
from exchange.engine.solver import INFINITY, Program, SolverFailed, solve_mip
from exchange.engine.ticks import SupplyRange

NODES, CHECKS = 500, 3_000
REACH, MANY = 50, 1_000_000_000  # Lots that a piece may be off; that one made anew may have.
SHY = 1e-3  # Lots: what counts as less than one.

Block = tuple[Ints, Floats, Floats, Floats]  # (row of each piece or -1, value, lower, upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is given: lots of blocks per cell, what sellers are owed, and the Gbps x lots left."""

    blocks: Ints
    supply: SupplyRange
    links: Floats  # (links, periods)
    prices: Prices


def whole_lots(market: Market, pieces: Pieces, due: Due) -> Ints | None:
    """Lots per piece, or None if there are none."""
    blocks, supply = due.blocks, due.supply
    cells, limits = _cells(market, pieces, blocks, supply), _limits(market, pieces, due)
    orders = _orders(market, pieces)
    hourly, full = _hourly(market, pieces), _full_links(market, pieces, due)
    every_piece = np.ones(len(hourly), dtype=np.bool_)
    for rows, volumes in ((every_piece, every_piece), (hourly, every_piece), (hourly, hourly)):
        kept = [_soften(orders[0], rows), _soften(orders[1], volumes)]
        parts = [cells, *kept, *limits]
        program = _program(pieces, parts, (link_entries(market, pieces), full, due.links))
        with suppress(SolverFailed):
            both = np.concatenate([every_piece, every_piece])
            found = solve_mip(program, both, nodes=NODES, checks=CHECKS)
            if found.x is not None:
                up, less = np.split(np.rint(found.x).astype(np.int64), 2)
                return pieces.fine // FINE + up - less
    return None


def orders_whole(market: Market, pieces: Pieces, lots: Ints) -> bool:
    """Whether every order that was whole in fractions is so in these lots, or as near as can be."""
    return all(
        bool((np.bincount(row[row >= 0], (lots * units)[row >= 0], len(lower)) >= lower).all())
        for row, units, lower, _ in _orders(market, pieces)
    )


def _hourly(market: Market, pieces: Pieces) -> Flags:
    bid = market.demand.ladders.row_order[pieces.row]
    return np.asarray(market.book.bids.kind[bid] == BidKind.HOURLY)


def _soften(block: Block, firm: Flags) -> Block:
    """Let orders end below whole whose pieces are not firm: where nothing else fits."""
    row, value, lower, upper = block
    kept = np.zeros(len(lower), dtype=np.bool_)
    kept[row[firm & (row >= 0)]] = True
    return row, value, np.where(kept, lower, -INFINITY), upper


def _program(
    pieces: Pieces, parts: list[Block], links: tuple[list[Entries], Floats, Floats]
) -> Program:
    every = np.arange(len(pieces.fine))
    entries = [(row, piece, gbps) for row, piece, gbps in links[0]]
    rows = links[1].size
    lower, upper = [links[1]], [links[2].ravel()]
    for row, value, low, high in parts:
        there = row >= 0
        entries.append((rows + row[there], every[there], value[there]))
        lower.append(low)
        upper.append(high)
        rows += len(low)
    down, rest = np.divmod(pieces.fine, FINE)
    base = np.zeros(rows)
    for row, piece, value in entries:
        np.add.at(base, row, value * down[piece])
    less = [(row, len(every) + piece, -value) for row, piece, value in entries]
    draft = assemble_rows(
        entries + less,
        np.concatenate(lower) - base,
        np.concatenate(upper) - base,
        2 * len(every),
    )
    # Up first where most of a lot was lost; further, and down, only where nothing else helps.
    most = np.where(pieces.fine > 0, 1 + REACH, MANY)
    return replace(
        draft,
        cost=np.concatenate([1 - rest / FINE, 1 + rest / FINE]),
        upper=np.concatenate([most, np.minimum(down, REACH)]).astype(np.float64),
    )


def assemble_rows(
    entries: list[tuple[Ints, Ints, Floats]], lower: Floats, upper: Floats, columns: int
) -> Program:
    """A program without costs out of (row, column, value) entries."""
    row = np.concatenate([e[0] for e in entries])
    column = np.concatenate([e[1] for e in entries])
    value = np.concatenate([e[2] for e in entries])
    order = np.lexsort((row, column))
    return Program(
        cost=np.zeros(columns),
        lower=np.zeros(columns),
        upper=np.full(columns, INFINITY),
        row_lower=lower,
        row_upper=upper,
        start=np.searchsorted(column[order], np.arange(columns + 1)).astype(np.int64),
        index=row[order],
        value=value[order],
    )


def _cells(market: Market, pieces: Pieces, blocks: Ints, supply: SupplyRange) -> Block:
    period = market.demand.ladders.row_period[pieces.row]
    cell, row = np.unique(pieces.pair * market.book.periods + period, return_inverse=True)
    taken = blocks.ravel()[cell]
    return (
        row.astype(np.int64),
        np.ones(len(row)),
        (supply.least.ravel()[cell] - taken).astype(np.float64),
        (supply.most.ravel()[cell] - taken).astype(np.float64),
    )


def _orders(market: Market, pieces: Pieces) -> list[Block]:
    """Each order's quantity, each volume bid's volume; what is whole stays so."""
    bids, ladders = market.book.bids, market.demand.ladders
    bid = ladders.row_order[pieces.row]
    volume = np.where(bids.kind[bid] == BidKind.VOLUME, bid, -1)
    units = MICROS / market.arcs.factor_micros[pieces.arc]
    return [
        _within(pieces, units, pieces.row, bids.quantity_lots[ladders.row_order]),
        _within(pieces, units, volume, bids.volume_lots),
    ]


def _within(pieces: Pieces, units: Floats, key: Ints, asked: Ints) -> Block:
    mine = key >= 0
    names, place = np.unique(key[mine], return_inverse=True)
    row = np.full(len(key), -1, dtype=np.int64)
    row[mine] = place
    most = asked[names].astype(np.float64)
    got = np.bincount(place, weights=(pieces.fine / FINE * units)[mine], minlength=len(names))
    used = np.where(pieces.fine > 0, units, 0.0)[mine]
    one_lot = np.bincount(place, weights=used, minlength=len(names))
    # Who could be given a lot is given one, however small the pieces.
    least = np.zeros(len(names))
    np.maximum.at(least, place, used)
    lower = np.maximum(most - one_lot + SHY, np.where(most >= least, SHY, -INFINITY))
    return row, units, np.where(got >= most - SHY, lower, -INFINITY), most


def _limits(market: Market, pieces: Pieces, due: Due) -> list[Block]:
    book, network, blocks = market.book, market.network, due.blocks
    period = market.demand.ladders.row_period[pieces.row]
    power = np.where(book.power_kw_micros == UNLIMITED, INFINITY, book.power_kw_micros / MICROS)
    used = np.zeros_like(power)
    np.add.at(used, network.pair_region, network.kw[:, None] * blocks)
    region = network.pair_region[pieces.pair]
    limited = power[region, period] < INFINITY
    row = np.where(limited, region * book.periods + period, -1)
    left = (power * LOTS_PER_UNIT - used).ravel()
    parts = [_dense(row, network.kw[pieces.pair], left)]
    if due.prices.power_ticks.any():
        spare = _one_lot_each(market, pieces, (row, np.arange(len(row)), network.kw[pieces.pair]))
        full = np.where(due.prices.power_ticks.ravel() > 0, left - spare[: left.size], -INFINITY)
        packed, value, _, upper = parts[0]
        parts = [(packed, value, full[np.unique(row[row >= 0])], upper)]
    if book.min_domestic_share_micros is not None:
        owed = np.array([-float((network.policy[:, None] * blocks).sum())])
        whole = np.zeros(len(period), dtype=np.int64)
        most = np.array([INFINITY])
        if due.prices.domestic_share_nanos:
            weight = np.abs(network.policy[pieces.pair])
            each = (whole, np.arange(len(whole)), weight)
            most = owed + _one_lot_each(market, pieces, each)[:1]
        parts.append((whole, network.policy[pieces.pair], owed, most))
    return parts


def _one_lot_each(market: Market, pieces: Pieces, use: Entries) -> Floats:
    """Per row, what one lot of each order that uses it comes to: so much counts as full."""
    row, piece, value = use
    key = row * len(market.demand.ladders.row_order) + pieces.row[piece]
    there = np.flatnonzero((row >= 0) & (pieces.fine[piece] > 0))
    first = there[np.unique(key[there], return_index=True)[1]]
    size = max(market.book.link_gbps_micros.size, market.book.power_kw_micros.size, 1)
    return np.bincount(row[first], weights=value[first], minlength=size).astype(np.float64)


def _full_links(market: Market, pieces: Pieces, due: Due) -> Floats:
    """Priced links stay full, to one lot per order."""
    spare = np.zeros(due.links.size)
    for use in link_entries(market, pieces):
        spare += _one_lot_each(market, pieces, use)[: spare.size]
    priced = due.prices.links_ticks.ravel() > 0
    return np.where(priced, due.links.ravel() - spare, -INFINITY)


def link_entries(market: Market, pieces: Pieces) -> list[Entries]:
    """(row, piece, Gbps per lot) for each link of each piece; rows count (link, period)."""
    book, limited = market.book, market.network.route_limited
    period = market.demand.ladders.row_period[pieces.row]
    route, gbps = market.arcs.route[pieces.arc], market.arcs.gbps[pieces.arc]
    entries = []
    for place in range(max((len(mine) for mine in limited), default=0)):
        link = np.array([r[place] if len(r) > place else -1 for r in limited])[route]
        piece = np.flatnonzero((link >= 0) & (gbps > 0))
        entries.append((link[piece] * book.periods + period[piece], piece, gbps[piece]))
    return entries


def _dense(row: Ints, value: Floats, upper: Floats) -> Block:
    """Rows numbered from nought, those that nothing uses left out."""
    names, place = np.unique(row[row >= 0], return_inverse=True)
    packed = np.full(len(row), -1, dtype=np.int64)
    packed[row >= 0] = place
    return packed, value, np.full(len(names), -INFINITY), upper[names]
