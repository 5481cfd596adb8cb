"""The whole market as one mixed-integer program, written down order by order.

Slow and obvious on purpose: a column for each offer and period, for each divisible bid, period,
place and route, and for each way to run a block (site, accelerator, route and start). It shares no
code with the clearing but the solver, so that one can judge the other.

Quantities are accelerators, money is the currency per hour of a period.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from exchange.engine.book import (
    LOTS_PER_UNIT,
    MICROS,
    NO_GROUP,
    TICKS_PER_UNIT,
    UNLIMITED,
    BidKind,
    Book,
    Ints,
)
from exchange.engine.solver import INFINITY, Program

Key: TypeAlias = tuple[str, int, int]
Entry: TypeAlias = tuple[Key, float]

_KW: Final = 10**15  # watts x PUE / 1000, both in millionths


@dataclass(frozen=True, slots=True)
class BlockOption:
    """One way to run a block, and its column."""

    bid: int
    pair: int
    route: int
    start: int
    column: int


@dataclass(frozen=True, slots=True)
class Model:
    """The program (least cost is most welfare) and its block options."""

    program: Program
    options: list[BlockOption]


@dataclass(slots=True)
class Draft:
    """A program while it is written down: rows by name, columns by their entries."""

    rows: dict[Key, int] = field(default_factory=dict)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add_row(self, key: Key, lower: float, upper: float) -> None:
        """Add a named row once; asking again changes nothing."""
        if key not in self.rows:
            self.rows[key] = len(self.row_lower)
            self.row_lower.append(lower)
            self.row_upper.append(upper)

    def add_column(self, cost: float, upper: float, entries: list[Entry]) -> int:
        """Add a column from 0 to ``upper``; give its place."""
        self.cost.append(cost)
        self.upper.append(upper)
        merged: dict[int, float] = {}
        for key, value in entries:
            merged[self.rows[key]] = merged.get(self.rows[key], 0.0) + value
        self.index.extend(merged)
        self.value.extend(merged.values())
        self.start.append(len(self.index))
        return len(self.cost) - 1

    def program(self) -> Program:
        """Give the program."""
        return Program(
            cost=np.array(self.cost),
            lower=np.zeros(len(self.cost)),
            upper=np.array(self.upper),
            row_lower=np.array(self.row_lower),
            row_upper=np.array(self.row_upper),
            start=np.array(self.start, dtype=np.int64),
            index=np.array(self.index, dtype=np.int64),
            value=np.array(self.value),
        )


class Writer:
    """Writes a book down as a program."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._draft = Draft()
        self._site, self._chip = (array.tolist() for array in book.pairs)
        self._region = [int(book.sites.region[site]) for site in self._site]
        self._limited = book.link_gbps_micros != UNLIMITED
        self._offered = _offered_lots(book)
        self._pool = self._find_pools()
        self._routes: dict[tuple[int, int, int, bool], list[int]] = {}

    def write(self) -> Model:
        """Write everything down."""
        self._write_limits()
        self._write_supply()
        bids = self._book.bids
        options: list[BlockOption] = []
        for bid in range(len(bids.names)):
            if bids.kind[bid] == BidKind.BLOCK:
                options += self._write_block(bid)
            else:
                self._write_divisible(bid)
        return Model(self._draft.program(), options)

    def _find_pools(self) -> list[int]:
        """Number the pools: pairs of one region, accelerator and worth to green bids.

        Divisible bids draw on pools; which of a pool's sites serves them makes no difference.
        """
        book = self._book
        steps = np.unique(book.bids.renewable_micros_min)
        green = np.searchsorted(steps, book.sites.renewable_micros, side="right").tolist()
        seen: dict[tuple[int, int, int], int] = {}
        keys = zip(self._region, self._chip, self._site, strict=True)
        return [seen.setdefault((at, chip, green[site]), len(seen)) for at, chip, site in keys]

    def _write_limits(self) -> None:
        book, draft = self._book, self._draft
        for link, period in np.argwhere(self._limited).tolist():
            limit = int(book.link_gbps_micros[link, period]) / MICROS
            draft.add_row(("link", link, period), -INFINITY, limit)
        for region, period in np.argwhere(book.power_kw_micros != UNLIMITED).tolist():
            limit = int(book.power_kw_micros[region, period]) / MICROS
            draft.add_row(("power", region, period), -INFINITY, limit)
        if book.min_domestic_share_micros is not None:
            draft.add_row(("share", 0, 0), 0.0, INFINITY)
        for pair, period in np.argwhere(book.open_cells).tolist():
            draft.add_row(("cell", pair, period), 0.0, 0.0)
            draft.add_row(("pool", self._pool[pair], period), 0.0, 0.0)
            keys = ("cell", pair, period), ("pool", self._pool[pair], period)
            draft.add_column(0.0, INFINITY, [(keys[0], -1.0), (keys[1], 1.0)])

    def _write_supply(self) -> None:
        offers = self._book.offers
        for offer, pair in enumerate(self._book.offer_pair.tolist()):
            ask = int(offers.price_ticks[offer]) / TICKS_PER_UNIT
            lots = int(offers.quantity_lots[offer]) / LOTS_PER_UNIT
            for period in range(int(offers.first[offer]), int(offers.end[offer])):
                entries = [(("cell", pair, period), 1.0), *self._shared_limits(pair, period)]
                self._draft.add_column(ask, lots, entries)

    def _shared_limits(self, pair: int, period: int) -> list[Entry]:
        """Give what one accelerator sold takes of power, and does to the domestic share."""
        book, chip = self._book, self._chip[pair]
        entries = []
        if ("power", self._region[pair], period) in self._draft.rows:
            watts = int(book.accelerators.watts_micros[chip])
            kw = watts * int(book.sites.pue_micros[self._site[pair]]) / _KW
            entries.append((("power", self._region[pair], period), kw))
        share = book.min_domestic_share_micros
        if share is not None:
            weight = int(book.accelerators.domestic[chip]) - share / MICROS
            # PFLOPS rather than TFLOPS keeps the row's numbers near one.
            pflops = int(book.accelerators.tflops_micros[chip]) / MICROS / 1_000
            entries.append((("share", 0, 0), weight * pflops))
        return entries

    def _choices(self, bid: int) -> list[tuple[int, int]]:
        """Give a bid's accelerators and factors (millionths)."""
        bids = self._book.bids
        rows = slice(int(bids.choice_start[bid]), int(bids.choice_start[bid + 1]))
        pairs = zip(bids.choice_accelerator[rows], bids.choice_factor_micros[rows], strict=True)
        return [(int(chip), int(factor)) for chip, factor in pairs]

    def _accepts(self, bid: int, pair: int) -> bool:
        book, bids = self._book, self._book.bids
        listed = bids.regions[int(bids.region_start[bid]) : int(bids.region_start[bid + 1])]
        green = book.sites.renewable_micros[self._site[pair]] >= bids.renewable_micros_min[bid]
        return bool(green) and (not len(listed) or self._region[pair] in listed.tolist())

    def _useful_routes(self, bid: int, region: int) -> list[int]:
        """Give a bid's routes to a region, less those that only use more limited links."""
        bids = self._book.bids
        origin, bound = int(bids.origin[bid]), int(bids.latency_micros_max[bid])
        key = (origin, region, bound, bool(bids.gbps_micros[bid] > 0))
        if key not in self._routes:
            self._routes[key] = self._find_routes(*key)
        return self._routes[key]

    def _find_routes(self, origin: int, region: int, bound: int, uses_links: bool) -> list[int]:  # noqa: FBT001
        table = self._book.routes
        near = (table.origin == origin) & (table.region == region)
        if bound != UNLIMITED:
            near &= table.latency_micros <= bound
        kept: dict[frozenset[int], int] = {}
        for route in np.flatnonzero(near).tolist():
            links = self._links(route) if uses_links else ()
            kept.setdefault(frozenset(link for link in links if self._limited[link].any()), route)
        return [route for links, route in kept.items() if not any(less < links for less in kept)]

    def _links(self, route: int) -> list[int]:
        table = self._book.routes
        start, end = int(table.link_start[route]), int(table.link_start[route + 1])
        return [int(link) for link in table.links[start:end]]

    def _link_entries(self, bid: int, route: int, period: int, accelerators: float) -> list[Entry]:
        gbps = int(self._book.bids.gbps_micros[bid]) / MICROS
        return [
            (("link", link, period), gbps * accelerators)
            for link in self._links(route)
            if gbps and self._limited[link, period]
        ]

    def _write_divisible(self, bid: int) -> None:
        bids, draft = self._book.bids, self._draft
        limit = int(bids.price_ticks[bid]) / TICKS_PER_UNIT
        draft.add_row(("volume", bid, 0), -INFINITY, self._volume(bid))
        for period in range(int(bids.first[bid]), int(bids.end[bid])):
            quantity = int(bids.quantity_lots[bid]) / LOTS_PER_UNIT
            draft.add_row(("bid", bid, period), -INFINITY, quantity)
            for pair, route, factor in self._places(bid, period):
                units = MICROS / factor
                entries = [
                    (("pool", self._pool[pair], period), -1.0),
                    (("bid", bid, period), units),
                    (("volume", bid, 0), units),
                    *self._link_entries(bid, route, period, 1.0),
                ]
                draft.add_column(-limit * units, INFINITY, entries)

    def _volume(self, bid: int) -> float:
        lots = int(self._book.bids.volume_lots[bid])
        return lots / LOTS_PER_UNIT if lots else INFINITY

    def _places(self, bid: int, period: int) -> list[tuple[int, int, int]]:
        """Give (a pair of the pool, route, factor) for every pool a bid can draw on."""
        found: dict[int, int] = {}
        factors = dict(self._choices(bid))
        for pair, chip in enumerate(self._chip):
            is_open = self._book.open_cells[pair, period]
            if chip in factors and is_open and self._accepts(bid, pair):
                found.setdefault(self._pool[pair], pair)
        return [
            (pair, route, factors[self._chip[pair]])
            for pair in found.values()
            for route in self._useful_routes(bid, self._region[pair])
        ]

    def _write_block(self, bid: int) -> list[BlockOption]:
        bids, draft = self._book.bids, self._draft
        group, length = int(bids.group[bid]), int(bids.duration[bid])
        job = ("job", bid, 0) if group == NO_GROUP else ("group", group, 0)
        draft.add_row(job, -INFINITY, 1.0)
        units, limit = int(bids.quantity_lots[bid]), int(bids.price_ticks[bid])
        worth = limit * units * length / (TICKS_PER_UNIT * LOTS_PER_UNIT)
        options = []
        for chip, factor in self._choices(bid):
            whole = -(-units * factor // (LOTS_PER_UNIT * MICROS))
            for pair, route, start in self._runs(bid, chip, whole):
                entries = [(job, 1.0)]
                for period in range(start, start + length):
                    entries.append((("cell", pair, period), -float(whole)))
                    entries += self._link_entries(bid, route, period, float(whole))
                column = draft.add_column(-worth, 1.0, entries)
                options.append(BlockOption(bid, pair, route, start, column))
        return options

    def _runs(self, bid: int, chip: int, whole: int) -> list[tuple[int, int, int]]:
        """Give (pair, route, start) wherever enough is offered all the time."""
        bids = self._book.bids
        length = int(bids.duration[bid])
        starts = range(int(bids.first[bid]), int(bids.end[bid]) - length + 1)
        pairs = [
            pair for pair, at in enumerate(self._chip) if at == chip and self._accepts(bid, pair)
        ]
        return [
            (pair, route, start)
            for pair in pairs
            for route in self._useful_routes(bid, self._region[pair])
            for start in starts
            if (self._offered[pair, start : start + length] >= whole * LOTS_PER_UNIT).all()
        ]


def _offered_lots(book: Book) -> Ints:
    """Give (pairs, periods): how much is offered in each cell."""
    lots = np.zeros(book.open_cells.shape, dtype=np.int64)
    offers = book.offers
    for offer, pair in enumerate(book.offer_pair.tolist()):
        lots[pair, offers.first[offer] : offers.end[offer]] += offers.quantity_lots[offer]
    return lots
