"""What one bid gets at posted prices, of what is left: in parts, or whole."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from exchange.engine.book import MICROS, BidKind, Book, Ints
from exchange.engine.bound import block_lots
from exchange.management.simulation.shelf import Shelf, Stack


class Way(NamedTuple):
    """A route and a chip that a bid may take, and how dear an ask it can pay."""

    route: int
    chip: int
    factor_micros: int
    stack: Stack
    affordable: int  # offers of the stack, the cheapest first


class Row(NamedTuple):
    """So many lots of an offer, in one period, by one route."""

    bid: int
    offer: int
    period: int
    route: int
    lots: int


def serve_parts(shelf: Shelf, bid: int, ways: list[Way]) -> list[Row]:
    """Serve an hourly or a volume bid, period by period."""
    bids = shelf.book.bids
    wanted = int(bids.quantity_lots[bid])
    is_volume = bids.kind[bid] == BidKind.VOLUME
    budget = int(bids.volume_lots[bid]) if is_volume else None
    rows: list[Row] = []
    for period in range(int(bids.first[bid]), int(bids.end[bid])):
        units = wanted if budget is None else min(wanted, budget)
        left = units
        for way in ways:
            lots = left * way.factor_micros // MICROS
            for row in _take_here(shelf, bid, way, period=period, lots=lots):
                rows.append(row)
                left -= -(-row.lots * MICROS // way.factor_micros)
            left = max(0, left)  # each row's units are rounded up
        if budget is not None:
            budget -= units - left
            if budget <= 0:
                break
    return rows


def _take_here(shelf: Shelf, bid: int, way: Way, *, period: int, lots: int) -> Iterator[Row]:
    """Take up to so many lots in one region and period, the cheapest first."""
    gbps = int(shelf.book.bids.gbps_micros[bid])
    region = int(shelf.book.routes.region[way.route])
    lots = min(lots, int(shelf.deliverable(way.route, gbps, period, period + 1)[0]))
    stack, green = way.stack, _green_enough(shelf.book, bid, way.stack)
    offers = stack.offers[: way.affordable]
    free = shelf.left[offers, period] * green[stack.seat[: way.affordable]]
    for place in np.flatnonzero(free > 0).tolist():
        if lots <= 0:
            return
        draw = int(stack.nanowatts[stack.seat[place]])
        powered = int(shelf.power[region, period]) // max(1, draw)
        taken = min(lots, int(free[place]), powered)
        if taken:
            offer = int(offers[place])
            shelf.take(offer, way.route, gbps_micros=gbps, period=period, lots=taken)
            lots -= taken
            yield Row(bid, offer, period, way.route, taken)


def serve_block(shelf: Shelf, bid: int, ways: list[Way]) -> list[Row]:
    """Serve a block whole, at the earliest start and there at the nearest place; or not."""
    first = int(shelf.book.bids.first[bid])
    best: tuple[int, int, Way] | None = None
    for way in ways:
        found = _earliest(shelf, bid, way)
        if found is not None and (best is None or found[0] < best[0]):
            best = (*found, way)
            if found[0] == first:
                break
    if best is None:
        return []
    start, seat, way = best
    return list(_take_whole(shelf, bid, way, (start, seat)))


def _earliest(shelf: Shelf, bid: int, way: Way) -> tuple[int, int] | None:
    """The earliest start at which a site has room for all periods, and the cheapest such site."""
    bids, stack = shelf.book.bids, way.stack
    first, end = int(bids.first[bid]), int(bids.end[bid])
    region = int(shelf.book.routes.region[way.route])
    need = whole_need(shelf.book, bid, way.factor_micros)
    room = np.zeros((len(stack.sites), end - first), dtype=np.int64)
    within = slice(way.affordable)
    np.add.at(room, stack.seat[within], shelf.left[stack.offers[within], first:end])
    room *= _green_enough(shelf.book, bid, stack)[:, None]
    room = np.minimum(room, shelf.powered(region, stack.nanowatts, first, end))
    carried = shelf.deliverable(way.route, int(bids.gbps_micros[bid]), first, end) >= need
    full = ((room < need) | ~carried).cumsum(axis=1)
    length = int(bids.duration[bid])
    before = np.concatenate([np.zeros((len(full), 1), dtype=np.int64), full[:, :-length]], axis=1)
    fits = full[:, length - 1 :] == before
    starts = np.flatnonzero(fits.any(axis=0))
    if not len(starts):
        return None
    by_ask = np.flatnonzero(fits[stack.seat[within], starts[0]])
    return first + int(starts[0]), int(stack.seat[by_ask[0]])


def _take_whole(shelf: Shelf, bid: int, way: Way, where: tuple[int, int]) -> Iterator[Row]:
    (start, seat), bids = where, shelf.book.bids
    here = np.flatnonzero(way.stack.seat[: way.affordable] == seat)
    offers, gbps = way.stack.offers[here].tolist(), int(bids.gbps_micros[bid])
    for period in range(start, start + int(bids.duration[bid])):
        need = whole_need(shelf.book, bid, way.factor_micros)
        for offer in offers:
            taken = min(need, int(shelf.left[offer, period]))
            if taken:
                shelf.take(offer, way.route, gbps_micros=gbps, period=period, lots=taken)
                need -= taken
                yield Row(bid, offer, period, way.route, taken)
        assert need == 0, "a block runs whole"


def whole_need(book: Book, bid: int, factor_micros: int) -> int:
    """How many lots of whole accelerators a block takes."""
    factor = np.array([factor_micros], dtype=np.int64)
    return int(block_lots(int(book.bids.quantity_lots[bid]), factor)[0])


def _green_enough(book: Book, bid: int, stack: Stack) -> Ints:
    green = book.sites.renewable_micros[stack.sites] >= book.bids.renewable_micros_min[bid]
    return np.asarray(green, dtype=np.int64)
