"""First come, first served at posted prices: the same orders, the same capacity, no auction.

Offers post their asks. Bids come one after another, in the order in which their windows begin and
then in the book's. Each takes what is still free and within its limit: an hourly bid in each of its
periods, a volume bid from its first period on, both at the nearest place first and there at the
cheapest ask; a block whole at the earliest start at which any acceptable site has room, the nearest
first, there the cheapest. Who found nothing goes away; an alternative of a job that runs as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, NO_GROUP, UNLIMITED, BidKind, Book, Ints
from exchange.engine.outcome import BidFills, OfferFills
from exchange.management.simulation.serving import Row, Way, serve_block, serve_parts, whole_need
from exchange.management.simulation.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Sold:
    """What posted prices came to; offers sell at their asks."""

    bid_fills: BidFills
    offer_fills: OfferFills


def sell_posted(book: Book) -> Sold:
    """Serve every bid of a book in the order of its coming."""
    shelf = Shelf(book)
    nearest = _nearest_routes(book)
    rows: list[Row] = []
    served: set[int] = set()
    bids = book.bids
    for bid in np.lexsort((np.arange(len(bids.names)), bids.first)).tolist():
        group = int(bids.group[bid])
        if group in served:
            continue
        ways = list(_ways(shelf, nearest[int(bids.origin[bid])], bid))
        if bids.kind[bid] == BidKind.BLOCK:
            got = serve_block(shelf, bid, ways)
        else:
            got = serve_parts(shelf, bid, ways)
        rows += got
        if got and group != NO_GROUP:
            served.add(group)
    return _sold(book, rows)


def _nearest_routes(book: Book) -> list[Ints]:
    """The routes from each region, the shortest first."""
    table = book.routes
    found = []
    for region in range(len(book.regions)):
        mine = np.flatnonzero(table.origin == region)
        found.append(mine[np.lexsort((mine, table.latency_micros[mine]))])
    return found


def _ways(shelf: Shelf, routes: Ints, bid: int) -> Iterator[Way]:
    """Every way to serve a bid that some ask leaves open, the nearest first."""
    bids, table = shelf.book.bids, shelf.book.routes
    bound, limit = int(bids.latency_micros_max[bid]), int(bids.price_ticks[bid])
    listed = bids.regions[bids.region_start[bid] : bids.region_start[bid + 1]].tolist()
    is_block = bids.kind[bid] == BidKind.BLOCK
    choices = range(int(bids.choice_start[bid]), int(bids.choice_start[bid + 1]))
    for route in routes.tolist():
        if bound != UNLIMITED and int(table.latency_micros[route]) > bound:
            return
        region = int(table.region[route])
        if listed and region not in listed:
            continue
        for row in choices:
            factor = int(bids.choice_factor_micros[row])
            chip = int(bids.choice_accelerator[row])
            stack = shelf.stack(region, chip)
            if stack is None:
                continue
            # A block pays for whole accelerators, a little more than its units may need.
            most = (
                limit * int(bids.quantity_lots[bid]) // whole_need(shelf.book, bid, factor)
                if is_block
                else limit * MICROS // factor
            )
            within = int(np.searchsorted(stack.asks, most, side="right"))
            if within:
                yield Way(route, chip, factor, stack, within)


def _sold(book: Book, rows: list[Row]) -> Sold:
    """Lay the rows out as fills, sorted and added up."""
    table = np.array(rows, dtype=np.int64).reshape(-1, len(Row._fields))
    bid, offer, period, route, lots = table.T
    site, chip = book.offers.site[offer], book.offers.accelerator[offer]
    bought = _added_up(np.stack([bid, site, chip, period, route], axis=1), lots)
    given = _added_up(np.stack([offer, period], axis=1), lots)
    return Sold(
        bid_fills=BidFills(
            bid=bought[0],
            site=bought[1],
            accelerator=bought[2],
            period=bought[3],
            route=bought[4],
            quantity_lots=bought[5],
        ),
        offer_fills=OfferFills(offer=given[0], period=given[1], quantity_lots=given[2]),
    )


def _added_up(keys: Ints, lots: Ints) -> list[Ints]:
    """Distinct rows of keys, sorted, and the lots of each."""
    distinct, number = np.unique(keys, axis=0, return_inverse=True)
    total = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(total, number.reshape(-1), lots)
    return [*distinct.T, total]
