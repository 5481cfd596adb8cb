"""What a published auction leaves behind for questions: its prices, and the room at each of them.

*Room* is what one more bid could have without harm to anybody's gain but the order it takes the
place of: what an offer had left, at its ask; and what an hourly or volume bid got, at the price
per accelerator at which that bid would rather have gone without.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.engine.book import (
    LOTS_PER_UNIT,
    MICROS,
    UNLIMITED,
    Accelerators,
    BidKind,
    Book,
    Flags,
    Ints,
    Names,
    Routes,
    Sites,
)
from exchange.engine.exact import HUGE, sum_by, sum_products_by
from exchange.engine.exact_prices import domestic_weight, kw_scaled, published
from exchange.engine.outcome import Clearing
from exchange.engine.reach import choice_bid, route_prices

STEPS_MAX: Final = 64  # of one cell: what lies further from the price is left out.
_KW_SCALE: Final = 10**9  # from kW in millionths to kW x 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Steps by cell (pair x periods + period), the cheapest first; micro-ticks and lots.

    ``unsold`` tells what an offer had left from what a bid would have to give up.
    """

    cell: Ints
    price: Ints
    lots: Ints
    unsold: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One published auction, without its bids.

    ``cells`` and ``routes_price`` are micro-ticks; ``gang_lots_max`` is what all offers of a cell
    add up to. ``power_lots`` (pairs, periods) and ``route_room`` (routes, periods; lots x
    millionths of a Gbps) say what the budgets and links have left, ``share_room`` what the
    domestic share has, in lots x 10**-12 TFLOPS; None without a policy. A limit that has a price
    has nothing left, whatever whole lots did not use.
    """

    periods: int
    regions: Names
    accelerators: Accelerators
    sites: Sites
    routes: Routes
    pairs: tuple[Ints, Ints]
    open_cells: Flags
    gang_lots_max: Ints
    cells: Ints
    routes_price: Ints
    room: Room
    power_lots: Ints
    route_room: Ints
    share_room: int | None
    share_weight: tuple[int, ...]
    is_share_priced: bool


def board_of(book: Book, clearing: Clearing) -> Board:
    """Lay out a cleared book for questions."""
    prices = published(clearing.prices)
    used = _used_lots(book, clearing)
    weight = tuple(int(one) for one in domestic_weight(book))
    shared = sum(int(lots) * one for lots, one in zip(used.sum(axis=1), weight, strict=True))
    return Board(
        periods=book.periods,
        regions=book.regions,
        accelerators=book.accelerators,
        sites=book.sites,
        routes=book.routes,
        pairs=book.pairs,
        open_cells=book.open_cells,
        gang_lots_max=book.capacity_lots,
        cells=prices.cells,
        routes_price=route_prices(book, prices.links),
        room=_room(book, clearing),
        power_lots=_power_lots(book, clearing, used),
        route_room=_route_room(book, clearing),
        share_room=None if book.min_domestic_share_micros is None else shared,
        share_weight=weight,
        is_share_priced=clearing.prices.domestic_share_nanos > 0,
    )


def _used_lots(book: Book, clearing: Clearing) -> Ints:
    sold = clearing.offer_fills
    cell = book.offer_pair[sold.offer] * book.periods + sold.period
    return sum_by(cell, sold.quantity_lots, book.open_cells.size).reshape(book.open_cells.shape)


def _room(book: Book, clearing: Clearing) -> Room:
    parts = (_unsold(book, clearing), _given_up(book, clearing))
    cell, price, lots = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    unsold = np.arange(len(cell)) < len(parts[0][0])
    order = np.lexsort((~unsold, price, cell))
    cell, price, lots, unsold = cell[order], price[order], lots[order], unsold[order]
    if not len(cell):
        return Room(cell=cell, price=price, lots=lots, unsold=unsold)
    same = (np.diff(cell) == 0) & (np.diff(price) == 0) & (unsold[1:] == unsold[:-1])
    head = np.flatnonzero(np.append(True, ~same))
    lots = np.add.reduceat(lots, head)
    cell, price, unsold = cell[head], price[head], unsold[head]
    near = np.arange(len(cell)) - np.searchsorted(cell, cell) < STEPS_MAX
    return Room(cell=cell[near], price=price[near], lots=lots[near], unsold=unsold[near])


def _unsold(book: Book, clearing: Clearing) -> tuple[Ints, Ints, Ints]:
    offers, sold = book.offers, clearing.offer_fills
    lengths = offers.end - offers.first
    offer = np.repeat(np.arange(len(offers.names)), lengths)
    before = np.repeat(np.cumsum(lengths) - lengths, lengths)
    period = np.arange(len(offer)) - before + offers.first[offer]
    left = offers.quantity_lots[offer]
    row = (np.cumsum(lengths) - lengths - offers.first)[sold.offer] + sold.period
    np.subtract.at(left, row, sold.quantity_lots)
    rows = np.flatnonzero(left > 0)
    offer, cell = offer[rows], book.offer_pair[offer[rows]] * book.periods + period[rows]
    return cell, offers.price_ticks[offer] * MICROS, left[rows]


def _given_up(book: Book, clearing: Clearing) -> tuple[Ints, Ints, Ints]:
    """What divisible bids got, and the price per accelerator that is their limit, rounded up."""
    bids, fills, width = book.bids, clearing.bid_fills, len(book.accelerators.names)
    rows = np.flatnonzero(bids.kind[fills.bid] != BidKind.BLOCK)
    bid, chip = fills.bid[rows], fills.accelerator[rows]
    known = choice_bid(book) * width + bids.choice_accelerator
    factor = bids.choice_factor_micros[np.searchsorted(known, bid * width + chip)]
    whole, rest = np.divmod(bids.price_ticks[bid] * MICROS, np.maximum(factor, 1))
    worth = whole * MICROS + -(-rest * MICROS // np.maximum(factor, 1))
    site, accelerator = book.pairs
    pair = np.searchsorted(site * width + accelerator, fills.site[rows] * width + chip)
    return pair * book.periods + fills.period[rows], worth, fills.quantity_lots[rows]


def _power_lots(book: Book, clearing: Clearing, used: Ints) -> Ints:
    """Shape (pairs, periods): the lots that the region's budget would still have carried."""
    region = book.sites.region[book.pairs[0]]
    draw = kw_scaled(book)
    drawn = used.astype(object) * draw[:, None]
    totals = np.zeros((len(book.regions), book.periods), dtype=object)
    np.add.at(totals, region, drawn)
    limits = book.power_kw_micros
    left = limits.astype(object) * (_KW_SCALE * LOTS_PER_UNIT) - totals
    left[clearing.prices.power_ticks > 0] = 0
    lots = left[region] // np.where(draw > 0, draw, 1)[:, None]
    free = (limits[region] == UNLIMITED) | (draw == 0).astype(np.bool_)[:, None]
    return np.where(free, HUGE, np.minimum(lots, HUGE)).astype(np.int64)


def _route_room(book: Book, clearing: Clearing) -> Ints:
    """Shape (routes, periods): lots x millionths of a Gbps that the narrowest link had left."""
    fills, routes = clearing.bid_fills, book.routes
    counts = np.diff(routes.link_start)
    row = np.repeat(np.arange(len(fills.bid)), counts[fills.route])
    first = np.repeat(np.cumsum(counts[fills.route]) - counts[fills.route], counts[fills.route])
    link = routes.links[np.arange(len(row)) - first + routes.link_start[fills.route[row]]]
    shape = (len(book.links), book.periods)
    key = link * book.periods + fills.period[row]
    gbps = book.bids.gbps_micros[fills.bid[row]]
    used = sum_products_by(key, fills.quantity_lots[row], gbps, shape[0] * shape[1]).reshape(shape)
    limits = book.link_gbps_micros
    left = np.where(limits == UNLIMITED, HUGE, limits * LOTS_PER_UNIT - used)
    room = np.full((len(routes.names), book.periods), HUGE, dtype=np.int64)
    left[clearing.prices.links_ticks > 0] = 0
    np.minimum.at(room, np.repeat(np.arange(len(counts)), counts), left[routes.links])
    return room
