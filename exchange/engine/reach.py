"""What the cheapest acceptable capacity costs each bid, over sites and routes.

Bids that may reach the same capacity at the same cost are looked up once: a *lane* is what an
origin, a latency bound and a bandwidth have in common, a *want* is a lane with its region and
renewable rules and one accelerator.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, UNLIMITED, Book, Flags, Ints
from exchange.engine.distinct import distinct_rows, number_lists
from exchange.engine.exact import HUGE, scale_micros
from exchange.engine.exact_prices import ExactPrices, kw_scaled

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
        every = np.arange(len(self._wants.lane))
        pairs = np.ones(len(self.book.pairs[0]), dtype=np.bool_) if pairs is None else pairs
        room = self.book.open_cells & pairs[:, None]
        return self._cheapest(prices, (duration, 0), (every, room), routes)

    def cheapest_for_gang(self, prices: ExactPrices, duration: int, gang: tuple[int, Ints]) -> Ints:
        """Give the same for each of so many accelerators together: (how many, wants).

        Only where one site's offers, the region's power budget and the links can carry them all:
        elsewhere no allocation can put them. Shape (wants given, starts).
        """
        size, wants = gang
        return self._cheapest(prices, (duration, size), (wants, self._room(size)), None)

    def _room(self, size: int) -> Flags:
        """Flag (pairs, periods) where offers and the power budget could carry a gang."""
        book = self.book
        limit = book.power_kw_micros[book.sites.region[book.pairs[0]]]
        # kW x 10**15 each; the most that fits below an unlimited budget is never asked for.
        least = [-(-int(kw) * size // 10**9) for kw in kw_scaled(book)]
        drawn = np.array([min(kw, HUGE) for kw in least], dtype=np.int64)
        powered = (limit == UNLIMITED) | (limit >= drawn[:, None])
        return np.asarray((book.capacity_lots >= size * LOTS_PER_UNIT) & powered)

    def _cheapest(
        self,
        prices: ExactPrices,
        shape: tuple[int, int],
        asked: tuple[Ints, Flags],
        routes: Flags | None,
    ) -> Ints:
        (duration, _), (wants, room) = shape, asked
        cells = window_sums(prices.cells, duration)
        closed = window_sums((~room).astype(np.int64), duration) > 0
        cells = np.where(closed, HUGE, cells)
        if routes is None:
            routes = np.ones(len(self.book.routes.names), dtype=np.bool_)
        delivery = self._delivery(route_prices(self.book, prices.links), shape, routes)
        best = np.full((len(wants), cells.shape[1]), HUGE, dtype=np.int64)
        site, chip = self.book.pairs
        lane, allowed = self._wants.lane[wants], self._wants.allowed[wants]
        for accelerator in np.unique(self._wants.accelerator[wants]):
            mine = np.flatnonzero(self._wants.accelerator[wants] == accelerator)
            for pair in np.flatnonzero((chip == accelerator) & ~closed.all(axis=1)):
                able = mine[self._site_allowed[allowed[mine], site[pair]]]
                region = self.book.sites.region[site[pair]]
                cost = cells[pair] + delivery[lane[able], region]
                best[able] = np.minimum(best[able], cost)
        return best

    def _delivery(self, prices: Ints, shape: tuple[int, int], routes: Flags) -> Ints:
        """Give (lanes, regions, starts): the cheapest route's cost per accelerator.

        ``shape``: duration, and how many accelerators a route must carry at once.
        """
        duration, size = shape
        lane, route = self._trips
        if not routes.all():
            lane, route = lane[routes[route]], route[routes[route]]
        gbps = self._lanes.gbps[lane][:, None]
        sums = window_sums(prices, duration)
        paid = scale_micros(sums[route], gbps)
        if size and self._has_limits.any():
            limits = self._route_limits
            narrow = np.flatnonzero(self._has_limits[route])
            full = gbps[narrow] * size > limits[route[narrow]]
            paid[narrow] = np.where(
                window_sums(full.astype(np.int64), duration) > 0, HUGE, paid[narrow]
            )
        cost = np.full((len(self._lanes.origin), len(self.book.regions), sums.shape[1]), HUGE)
        place = lane * len(self.book.regions) + self.book.routes.region[route]
        first = np.flatnonzero(np.diff(place, prepend=-1))
        if len(first):
            best = np.minimum.reduceat(paid, first, axis=0)
            cost.reshape(-1, sums.shape[1])[place[first]] = np.minimum(best, HUGE)
        return cost

    @cached_property
    def _trips(self) -> tuple[Ints, Ints]:
        """(lane, route) for each route that a lane may take, by lane and then by region."""
        table, lanes = self.book.routes, self._lanes
        near = lanes.origin[:, None] == table.origin[None, :]
        near &= table.latency_micros[None, :] <= lanes.latency[:, None]
        lane, route = np.nonzero(near)
        order = np.lexsort((table.region[route], lane))
        return lane[order], route[order]

    @cached_property
    def _has_limits(self) -> Flags:
        """The routes that run over a link with a limit in some period."""
        return np.asarray((self._route_limits < HUGE).any(axis=1))

    @cached_property
    def _route_limits(self) -> Ints:
        """Shape (routes, periods): the least limit along each, ``HUGE`` where there is none."""
        table, limits = self.book.routes, self.book.link_gbps_micros
        least = np.full((len(table.names), self.book.periods), HUGE, dtype=np.int64)
        route = np.repeat(np.arange(len(table.names)), np.diff(table.link_start))
        here = limits[table.links]
        np.minimum.at(least, route, np.where(here == UNLIMITED, HUGE, here))
        return least


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
