"""What the cheapest acceptable capacity costs each bid, over sites and routes.

Bids that may reach the same capacity at the same cost are looked up once: a *lane* is what an
origin, a latency bound and a bandwidth have in common, a *want* is a lane with its region and
renewable rules and one accelerator.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import UNLIMITED, Book, Flags, Ints
from exchange.engine.distinct import distinct_rows, number_lists
from exchange.engine.exact import HUGE, scale_micros
from exchange.engine.exact_prices import ExactPrices

ROUTE_PRICE_MAX = 10**15
NO_ROUTE = -2  # No route leaves the origin within the bound.


@dataclass(frozen=True, slots=True)
class _Lanes:
    origin: Ints
    latency: Ints
    gbps: Ints


@dataclass(frozen=True, slots=True)
class _Wants:
    lane: Ints
    accelerator: Ints
    allowed: Ints  # row of ``pair_allowed``


class Reach:
    """The bids of one book, sorted by what they can reach.

    ``want`` gives the want of each row of the bids' choices.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        self._lanes, lane = _find_lanes(book)
        self._site_allowed, allowed = _find_allowed_sites(book)
        bid = choice_bid(book)
        keys = (lane[bid], allowed[bid], book.bids.choice_accelerator)
        (lanes, alloweds, chips), self.want = distinct_rows(keys)
        self._wants = _Wants(lanes, chips, alloweds)

    def cheapest(
        self,
        prices: ExactPrices,
        duration: int = 1,
        *,
        pairs: Flags | None = None,
        routes: Flags | None = None,
    ) -> Ints:
        """Give the least cost of one accelerator for ``duration`` periods on one site and route.

        ``pairs`` and ``routes`` flag those to be looked at; all, if not given.

        :returns: shape (wants, periods - duration + 1), in micro-ticks per hour of a period,
            rounded down; ``HUGE`` or more where nothing acceptable is open all the time
        """
        cells = window_sums(prices.cells, duration)
        closed = window_sums((~self.book.open_cells).astype(np.int64), duration) > 0
        cells = np.where(closed, HUGE, cells)
        if routes is None:
            routes = np.ones(len(self.book.routes.names), dtype=np.bool_)
        delivery = self._delivery(route_prices(self.book, prices.links), duration, routes)
        best = np.full((len(self._wants.lane), cells.shape[1]), HUGE, dtype=np.int64)
        site, chip = self.book.pairs
        for accelerator in np.unique(chip):
            wants = np.flatnonzero(self._wants.accelerator == accelerator)
            for pair in np.flatnonzero((chip == accelerator) & (True if pairs is None else pairs)):
                able = wants[self._site_allowed[self._wants.allowed[wants], site[pair]]]
                region = self.book.sites.region[site[pair]]
                cost = cells[pair] + delivery[self._wants.lane[able], region]
                best[able] = np.minimum(best[able], cost)
        return best

    def _delivery(self, prices: Ints, duration: int, routes: Flags) -> Ints:
        """Give (lanes, regions, starts): the cheapest route's cost per accelerator."""
        sums = window_sums(prices, duration)
        shape = (len(self._lanes.origin), len(self.book.regions), sums.shape[1])
        cost = np.full(shape, HUGE, dtype=np.int64)
        table = self.book.routes
        for route in np.flatnonzero(routes):
            near = self._lanes.origin == table.origin[route]
            lanes = np.flatnonzero(near & (table.latency_micros[route] <= self._lanes.latency))
            paid = scale_micros(sums[route][None, :], self._lanes.gbps[lanes][:, None])
            region = table.region[route]
            cost[lanes, region] = np.minimum(cost[lanes, region], paid)
        return cost


def choice_bid(book: Book) -> Ints:
    """Give the bid of each row of the bids' choices."""
    return np.repeat(np.arange(len(book.bids.names)), np.diff(book.bids.choice_start))


def window_sums(values: Ints, duration: int) -> Ints:
    """Add up each run of ``duration`` periods along the last axis."""
    if duration == 1:
        return values
    sums = np.concatenate([np.zeros_like(values[:, :1]), values.cumsum(axis=1)], axis=1)
    return np.asarray(sums[:, duration:] - sums[:, :-duration])


def route_prices(book: Book, links: Ints) -> Ints:
    """Give (routes, periods): the sum of the link prices along each route, micro-ticks per Gbps.

    It is held at a million of the currency, so that a thousand periods of it fit an int64.
    """
    sums = np.zeros((len(book.routes.names), book.periods), dtype=np.int64)
    route = np.repeat(np.arange(len(book.routes.names)), np.diff(book.routes.link_start))
    np.add.at(sums, route, links[book.routes.links])
    return np.minimum(sums, ROUTE_PRICE_MAX)


def allowed_sites(book: Book, bid: int) -> Flags:
    """Flag the sites whose region and renewable share one bid accepts."""
    bids = book.bids
    listed = bids.regions[bids.region_start[bid] : bids.region_start[bid + 1]]
    green = book.sites.renewable_micros >= bids.renewable_micros_min[bid]
    return np.asarray(green & (np.isin(book.sites.region, listed) if len(listed) else True))


def region_rule(book: Book) -> Ints:
    """Give each bid a number that is equal exactly for equal lists of regions; 0 for none."""
    start = book.bids.region_start
    return np.where(np.diff(start) > 0, number_lists(start, book.bids.regions) + 1, 0)


def _find_lanes(book: Book) -> tuple[_Lanes, Ints]:
    limited = (book.link_gbps_micros != UNLIMITED).any()
    gbps = book.bids.gbps_micros if limited else np.zeros_like(book.bids.gbps_micros)
    keys = (book.bids.origin, slowest_route(book), gbps)
    (origins, latencies, bandwidths), lane = distinct_rows(keys)
    return _Lanes(origins, latencies, bandwidths), lane


def slowest_route(book: Book) -> Ints:
    """Give each bid the latency of the slowest route it may take, ``NO_ROUTE`` if there is none.

    Bids from one origin with the same slowest route may take the same routes.
    """
    slowest = np.full(len(book.bids.names), NO_ROUTE, dtype=np.int64)
    for origin in np.unique(book.bids.origin):
        bids = np.flatnonzero(book.bids.origin == origin)
        steps = np.sort(book.routes.latency_micros[book.routes.origin == origin])
        bound = book.bids.latency_micros_max[bids]
        place = np.searchsorted(steps, bound, side="right")
        place = np.where(bound == UNLIMITED, len(steps), place)
        slowest[bids] = np.append(NO_ROUTE, steps)[place]
    return slowest


def _find_allowed_sites(book: Book) -> tuple[Flags, Ints]:
    shares = np.unique(book.sites.renewable_micros)
    green = np.searchsorted(shares, book.bids.renewable_micros_min)
    _, rule = distinct_rows((region_rule(book), green))
    _, example = np.unique(rule, return_index=True)
    rows = [allowed_sites(book, int(bid)) for bid in example]
    return np.array(rows, dtype=np.bool_).reshape(len(rows), len(book.sites.names)), rule
