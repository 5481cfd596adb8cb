"""What the engine is given: one closed book, as frozen arrays in whole units.

Every table is sorted by its names, so the same book gives the same arrays however its rows were
ordered. Names are kept beside the arrays; rows refer to each other by index.

Units: prices in ticks of 0.001 of the currency per accelerator-hour, quantities in lots of 0.001
(of a unit for bids, of an accelerator for offers), everything else that has decimals in millionths.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Names = NDArray[np.str_]

TICKS_PER_UNIT = 1_000
LOTS_PER_UNIT = 1_000
MICROS = 1_000_000
UNLIMITED = -1  # In a limit or bound: not set.
NO_GROUP = -1


class BidKind(IntEnum):
    """How a bid may be filled; see the README of this package."""

    HOURLY = 0
    BLOCK = 1
    VOLUME = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerators:
    """Chip models. ``tflops`` and ``watts`` are in millionths."""

    names: Names
    domestic: Flags
    tflops_micros: Ints
    watts_micros: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Data centres, each in one region."""

    names: Names
    region: Ints
    pue_micros: Ints
    renewable_micros: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Paths from an origin region to an executing region, and the links each runs over (CSR)."""

    names: Names
    origin: Ints
    region: Ints
    latency_micros: Ints
    link_start: Ints  # route r uses links[link_start[r]:link_start[r + 1]]
    links: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """Sales: up to ``quantity_lots`` accelerators in each period of ``[first, end)``."""

    names: Names
    site: Ints
    accelerator: Ints
    first: Ints
    end: Ints
    quantity_lots: Ints
    price_ticks: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Bids:
    """Purchases of the three kinds.

    ``duration`` (periods) is 0 unless the bid is a block, ``volume_lots`` (unit-periods) 0 unless
    it is a volume bid. ``latency_micros_max`` is ``UNLIMITED`` when there is no bound.
    ``region_start``/``regions`` list the regions where it may run (none: any);
    ``choice_start``/``choice_accelerator``/``choice_factor_micros`` the acceptable accelerators
    and how many of each do the work of one unit.
    """

    names: Names
    kind: Ints
    origin: Ints
    quantity_lots: Ints
    price_ticks: Ints
    first: Ints
    end: Ints
    duration: Ints
    volume_lots: Ints
    latency_micros_max: Ints
    gbps_micros: Ints
    group: Ints
    renewable_micros_min: Ints  # 0 when not set
    region_start: Ints
    regions: Ints
    choice_start: Ints
    choice_accelerator: Ints
    choice_factor_micros: Ints


@dataclass(frozen=True, kw_only=True)
class Book:
    """All orders of one auction, with the network and the limits they share."""

    auction: str
    currency: str
    start: datetime
    period_minutes: int
    periods: int
    price_cap_ticks: int
    min_domestic_share_micros: int | None
    regions: Names
    accelerators: Accelerators
    sites: Sites
    routes: Routes
    links: Names
    link_gbps_micros: Ints  # shape (links, periods); UNLIMITED where not set
    power_kw_micros: Ints  # shape (regions, periods); UNLIMITED where not set
    offers: Offers
    bids: Bids
    groups: Names

    @cached_property
    def pairs(self) -> tuple[Ints, Ints]:
        """The (site, accelerator) pairs that have an offer, sorted: two arrays of indices."""
        keys = np.unique(self.offers.site * len(self.accelerators.names) + self.offers.accelerator)
        return np.divmod(keys, max(1, len(self.accelerators.names)))

    @cached_property
    def offer_pair(self) -> Ints:
        """The row of ``pairs`` that each offer sells at."""
        width = len(self.accelerators.names)
        site, accelerator = self.pairs
        return np.searchsorted(
            site * width + accelerator, self.offers.site * width + self.offers.accelerator
        ).astype(np.int64)

    @cached_property
    def open_cells(self) -> Flags:
        """Shape (pairs, periods): the cells that have an offer, and so a price."""
        edges = np.zeros((len(self.pairs[0]), self.periods + 1), dtype=np.int64)
        np.add.at(edges, (self.offer_pair, self.offers.first), 1)
        np.add.at(edges, (self.offer_pair, self.offers.end), -1)
        return np.asarray(edges.cumsum(axis=1)[:, :-1] > 0)

    @cached_property
    def capacity_lots(self) -> Ints:
        """Shape (pairs, periods): what the offers of each cell add up to."""
        edges = np.zeros((len(self.pairs[0]), self.periods + 1), dtype=np.int64)
        np.add.at(edges, (self.offer_pair, self.offers.first), self.offers.quantity_lots)
        np.add.at(edges, (self.offer_pair, self.offers.end), -self.offers.quantity_lots)
        return np.asarray(edges.cumsum(axis=1)[:, :-1])
