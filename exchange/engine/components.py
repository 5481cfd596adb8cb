"""A book cut where nothing couples it: each part is a book of its own, and the results add up.

Periods hang together through the windows of blocks and volume bids, regions through the routes
that a bid may take and the limited links of those; alternatives of one job hang together, and the
domestic share ties everything to everything. An hourly bid or an offer over several parts is in
each of them for its periods there. What is optimal in each part is optimal in the whole, prices
that support each part support the whole, and welfare and bound are sums.
"""

from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import timedelta

import numpy as np

from exchange.engine.book import NO_GROUP, UNLIMITED, BidKind, Bids, Book, Ints, Offers
from exchange.engine.distinct import distinct_rows
from exchange.engine.reach import region_rule, slowest_route
from exchange.engine.unions import Unions

NOWHERE = -1  # A bid that reaches no region is in no part.


@dataclass(frozen=True, slots=True)
class Part:
    """A book of its own, its first period, and the rows of the whole book's orders in it."""

    book: Book
    first: int
    bids: Ints
    offers: Ints


def parts_of(book: Book) -> list[Part]:
    """Cut a book; the parts are in order of their periods, then of their regions' names.

    A book with a domestic share is one part. Parts without an offer are left out.
    """
    if book.min_domestic_share_micros is not None:
        everything = (np.arange(len(book.bids.names)), np.arange(len(book.offers.names)))
        return [Part(book, 0, *everything)]
    of_region, of_bid = _regions(book)
    of_offer = of_region[book.sites.region[book.offers.site]]
    parts = []
    for first, end in _spans(book):
        now = (book.bids.first < end) & (book.bids.end > first)
        sold = (book.offers.first < end) & (book.offers.end > first)
        for number in np.unique(of_offer[sold]):
            bids = np.flatnonzero(now & (of_bid == number))
            offers = np.flatnonzero(sold & (of_offer == number))
            parts.append(Part(_cut(book, (first, end), bids, offers), first, bids, offers))
    return parts


def _spans(book: Book) -> list[tuple[int, int]]:
    """Runs of periods that blocks, jobs and volume bids hold together."""
    bids = book.bids
    first, end = bids.first.copy(), bids.end.copy()
    grouped = np.flatnonzero(bids.group != NO_GROUP)
    least = np.full(len(book.groups), book.periods, dtype=np.int64)
    most = np.zeros(len(book.groups), dtype=np.int64)
    np.minimum.at(least, bids.group[grouped], first[grouped])
    np.maximum.at(most, bids.group[grouped], end[grouped])
    first[grouped], end[grouped] = least[bids.group[grouped]], most[bids.group[grouped]]
    long = np.flatnonzero(bids.kind != BidKind.HOURLY)
    tied = np.zeros(book.periods + 1, dtype=np.int64)
    np.add.at(tied, first[long] + 1, 1)
    np.add.at(tied, end[long], -1)
    cuts = np.flatnonzero(tied.cumsum()[: book.periods] == 0).tolist()
    return list(zip(cuts, [*cuts[1:], book.periods], strict=True))


def _regions(book: Book) -> tuple[Ints, Ints]:
    """Number what hangs together: for each region, and for each bid (``NOWHERE``: none)."""
    bids, size = book.bids, len(book.regions)
    unions = Unions(size + len(book.links) + len(book.groups))
    limited = (book.link_gbps_micros != UNLIMITED).any(axis=1)
    keys = (bids.origin, slowest_route(book), region_rule(book), bids.group, bids.gbps_micros > 0)
    _, lane = distinct_rows(tuple(np.asarray(key, dtype=np.int64) for key in keys))
    _, example = np.unique(lane, return_index=True)
    found = np.full(len(example), NOWHERE, dtype=np.int64)
    for number, bid in enumerate(example.tolist()):
        routes = _routes(book, bid)
        nodes = book.routes.region[routes].tolist()
        if not nodes:
            continue
        if bids.gbps_micros[bid]:
            nodes += [
                size + link for route in routes for link in _links(book, route) if limited[link]
            ]
        if bids.group[bid] != NO_GROUP:
            nodes.append(size + len(book.links) + int(bids.group[bid]))
        unions.join(nodes)
        found[number] = nodes[0]
    roots = np.array([unions.root(node) for node in range(size)], dtype=np.int64)
    of_lane = np.where(found == NOWHERE, NOWHERE, roots[found])
    return roots, of_lane[lane]


def _routes(book: Book, bid: int) -> list[int]:
    table, bids = book.routes, book.bids
    bound = bids.latency_micros_max[bid]
    near = table.origin == bids.origin[bid]
    if bound != UNLIMITED:
        near = near & (table.latency_micros <= bound)
    listed = bids.regions[bids.region_start[bid] : bids.region_start[bid + 1]]
    if len(listed):
        near = near & np.isin(table.region, listed)
    rows: list[int] = np.flatnonzero(near).tolist()
    return rows


def _links(book: Book, route: int) -> list[int]:
    table = book.routes
    links: list[int] = table.links[table.link_start[route] : table.link_start[route + 1]].tolist()
    return links


def _cut(book: Book, span: tuple[int, int], bids: Ints, offers: Ints) -> Book:
    first, end = span
    return changed(
        book,
        start=book.start + timedelta(minutes=first * book.period_minutes),
        periods=end - first,
        link_gbps_micros=book.link_gbps_micros[:, first:end],
        power_kw_micros=book.power_kw_micros[:, first:end],
        offers=_cut_offers(book.offers, offers, span),
        bids=_cut_bids(book.bids, bids, span),
    )


def _cut_offers(offers: Offers, rows: Ints, span: tuple[int, int]) -> Offers:
    first, end = span
    return Offers(
        names=offers.names[rows],
        site=offers.site[rows],
        accelerator=offers.accelerator[rows],
        first=np.maximum(offers.first[rows], first) - first,
        end=np.minimum(offers.end[rows], end) - first,
        quantity_lots=offers.quantity_lots[rows],
        price_ticks=offers.price_ticks[rows],
    )


def _cut_bids(bids: Bids, rows: Ints, span: tuple[int, int]) -> Bids:
    first, end = span
    region_start, regions = _cut_lists(bids.region_start, rows)
    choice_start, choices = _cut_lists(bids.choice_start, rows)
    return Bids(
        names=bids.names[rows],
        kind=bids.kind[rows],
        origin=bids.origin[rows],
        quantity_lots=bids.quantity_lots[rows],
        price_ticks=bids.price_ticks[rows],
        first=np.maximum(bids.first[rows], first) - first,
        end=np.minimum(bids.end[rows], end) - first,
        duration=bids.duration[rows],
        volume_lots=bids.volume_lots[rows],
        latency_micros_max=bids.latency_micros_max[rows],
        gbps_micros=bids.gbps_micros[rows],
        group=bids.group[rows],
        renewable_micros_min=bids.renewable_micros_min[rows],
        region_start=region_start,
        regions=bids.regions[regions],
        choice_start=choice_start,
        choice_accelerator=bids.choice_accelerator[choices],
        choice_factor_micros=bids.choice_factor_micros[choices],
    )


def _cut_lists(start: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """The starts of some lists one after another, and the places of their items."""
    sizes = np.diff(start)[rows]
    total = np.append(0, np.cumsum(sizes))
    places = np.repeat(start[rows] - total[:-1], sizes) + np.arange(int(total[-1]))
    return total, places
