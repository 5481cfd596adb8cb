"""What is left to take: offers by region and chip, links and power, in whole units.

Power is counted in nanowatts and bandwidth in nano-Gbps per lot, each rounded up, so that nothing
is ever taken twice or beyond a limit.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, UNLIMITED, Book, Ints

_PLENTY = np.iinfo(np.int64).max // 4
_NANOWATTS_PER_MICRO_KW = 1_000_000
_NANO_PER_MICRO = 1_000


@dataclass(frozen=True, slots=True)
class Stack:
    """The offers of one chip in one region, the cheapest first; ``seat`` numbers their sites."""

    offers: Ints
    asks: Ints
    seat: Ints
    sites: Ints
    nanowatts: Ints  # a lot of each site draws


class Shelf:
    """Offers, links and power of a book, and what is left of them."""

    def __init__(self, book: Book) -> None:
        self.book = book
        offers = book.offers
        period = np.arange(book.periods)
        there = (period >= offers.first[:, None]) & (period < offers.end[:, None])
        self.left: Ints = np.where(there, offers.quantity_lots[:, None], 0)
        self.power: Ints = np.where(
            book.power_kw_micros == UNLIMITED,
            _PLENTY,
            book.power_kw_micros * _NANOWATTS_PER_MICRO_KW,
        )
        self.bandwidth: Ints = np.where(
            book.link_gbps_micros == UNLIMITED,
            _PLENTY,
            book.link_gbps_micros * _NANO_PER_MICRO,
        )
        self._stacks = {key: self._stack(*key) for key in self._keys()}

    def stack(self, region: int, chip: int) -> Stack | None:
        """Return the offers of a chip in a region, None if there are none."""
        return self._stacks.get((region, chip))

    def links_of(self, route: int) -> Ints:
        """Return the links that a route runs over."""
        start = self.book.routes.link_start
        return self.book.routes.links[start[route] : start[route + 1]]

    def deliverable(self, route: int, gbps_micros: int, first: int, end: int) -> Ints:
        """Return how many lots the links of a route could still carry, by period."""
        links = self.links_of(route)
        if not len(links) or not gbps_micros:
            return np.full(end - first, _PLENTY, dtype=np.int64)
        least: Ints = self.bandwidth[links, first:end].min(axis=0) // gbps_micros
        return least

    def powered(self, region: int, nanowatts: Ints, first: int, end: int) -> Ints:
        """Return how many lots of each draw the region could still power: (draws, periods)."""
        return np.asarray(self.power[region, first:end] // np.maximum(1, nanowatts)[:, None])

    def take(self, offer: int, route: int, *, gbps_micros: int, period: int, lots: int) -> None:
        """Take lots of an offer. What is not there cannot be taken."""
        book = self.book
        site, chip = int(book.offers.site[offer]), int(book.offers.accelerator[offer])
        region = int(book.sites.region[site])
        self.left[offer, period] -= lots
        self.power[region, period] -= lots * _draw(book, site, chip)
        links = self.links_of(route)
        self.bandwidth[links, period] -= lots * gbps_micros
        assert lots > 0
        assert self.left[offer, period] >= 0
        assert self.power[region, period] >= 0
        assert not len(links) or self.bandwidth[links, period].min() >= 0

    def _keys(self) -> set[tuple[int, int]]:
        offers = self.book.offers
        regions = self.book.sites.region[offers.site].tolist()
        return set(zip(regions, offers.accelerator.tolist(), strict=True))

    def _stack(self, region: int, chip: int) -> Stack:
        book, offers = self.book, self.book.offers
        here = (book.sites.region[offers.site] == region) & (offers.accelerator == chip)
        rows = np.flatnonzero(here)
        rows = rows[np.lexsort((rows, offers.price_ticks[rows]))]
        sites, seat = np.unique(offers.site[rows], return_inverse=True)
        draws = [_draw(book, site, chip) for site in sites.tolist()]
        return Stack(
            offers=rows,
            asks=offers.price_ticks[rows],
            seat=seat.reshape(-1).astype(np.int64),
            sites=sites,
            nanowatts=np.array(draws, dtype=np.int64),
        )


def _draw(book: Book, site: int, chip: int) -> int:
    """Nanowatts of one lot, rounded up: as many as microwatts of an accelerator."""
    watts, pue = int(book.accelerators.watts_micros[chip]), int(book.sites.pue_micros[site])
    return -(-watts * pue // MICROS)
