"""What every part of the audit looks at: the fills laid beside the book, and the faults found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from exchange.engine.book import UNLIMITED, Book, Flags, Ints
from exchange.engine.exact import scale_micros
from exchange.engine.exact_prices import ExactPrices, published
from exchange.engine.outcome import Clearing
from exchange.engine.reach import Reach, route_prices

PER_CODE_MAX: Final = 50
TICK: Final = 1_000_000  # micro-ticks
ROUNDING: Final = 2_000  # micro-ticks; what rounding costs down to whole micro-ticks may hide


@dataclass(frozen=True, slots=True)
class Failure:
    """One broken promise: a stable code, the order or cell it concerns, and why."""

    code: str
    where: str
    reason: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.where}: {self.code}: {self.reason}"


@dataclass(slots=True)
class Failures:
    """Faults found so far; of each code the first are named and all are counted."""

    named: list[Failure] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, where: str, reason: str) -> None:
        """Note one fault."""
        self.counts[code] = self.counts.get(code, 0) + 1
        if self.counts[code] <= PER_CODE_MAX:
            self.named.append(Failure(code, where, reason))

    def add_rows(self, code: str, bad: Flags, where: Callable[[int], str], reason: str) -> None:
        """Note each row flagged; ``where`` names the row's order or cell."""
        rows = np.flatnonzero(bad)
        for row in rows[:PER_CODE_MAX]:
            self.add(code, where(int(row)), reason)
        if len(rows) > PER_CODE_MAX:
            self.counts[code] += len(rows) - PER_CODE_MAX


class Case:
    """A clearing laid beside its book. Rows are those of ``clearing.bid_fills``.

    ``pair`` and ``choice`` are the rows of ``book.pairs`` and of the bids' choices (-1 where there
    is none); ``factor_micros`` is 1 there. ``prices`` are the published ones, or those given.
    """

    def __init__(
        self, book: Book, clearing: Clearing, failures: Failures, prices: ExactPrices | None = None
    ) -> None:
        self.book = book
        self.clearing = clearing
        self.failures = failures
        self.reach = Reach(book)
        self.prices: ExactPrices = prices or published(clearing.prices)
        self._cheapest: dict[int, Ints] = {}
        fills = clearing.bid_fills
        width = len(book.accelerators.names)
        site, chip = book.pairs
        self.pair = find_sorted(site * width + chip, fills.site * width + fills.accelerator)
        owner = np.repeat(np.arange(len(book.bids.names)), np.diff(book.bids.choice_start))
        choices = owner * width + book.bids.choice_accelerator
        self.choice = find_sorted(choices, fills.bid * width + fills.accelerator)
        factors = np.append(book.bids.choice_factor_micros, 1)
        self.factor_micros: Ints = factors[self.choice]

    def bid_name(self, bid: int) -> str:
        """Name a bid."""
        return f"bid {self.book.bids.names[bid]}"

    def fill_name(self, row: int) -> str:
        """Name the bid, cell and route of a fill."""
        fills = self.clearing.bid_fills
        place = self.cell_name(fills.site[row], fills.accelerator[row], fills.period[row])
        route = self.book.routes.names[fills.route[row]]
        return f"{self.bid_name(fills.bid[row])} at {place} over {route}"

    def cell_name(self, site: np.int64, accelerator: np.int64, period: np.int64) -> str:
        """Name a cell."""
        names = self.book.sites.names[site], self.book.accelerators.names[accelerator]
        return f"{names[0]} {names[1]} period {period}"

    def pair_name(self, pair: int, period: int) -> str:
        """Name the cell of a pair."""
        site, chip = self.book.pairs
        return self.cell_name(site[pair], chip[pair], np.int64(period))

    def priced_links(self) -> Ints:
        """Give (routes, periods): how many links with a limit each route runs over."""
        return route_prices(self.book, (self.book.link_gbps_micros != UNLIMITED).astype(np.int64))

    @cached_property
    def row_links(self) -> Ints:
        """What a Gbps over the links of each fill's route costs, in micro-ticks."""
        fills = self.clearing.bid_fills
        return np.asarray(route_prices(self.book, self.prices.links)[fills.route, fills.period])

    @cached_property
    def row_costs(self) -> Ints:
        """What each fill costs at the prices, in micro-ticks per accelerator."""
        fills = self.clearing.bid_fills
        paid = scale_micros(self.row_links, self.book.bids.gbps_micros[fills.bid])
        return np.asarray(self.prices.cells[self.pair, fills.period] + paid)

    @cached_property
    def row_ticks(self) -> Ints:
        """What a tick in every price makes of each fill's cost: ``1 + gbps x links``."""
        fills = self.clearing.bid_fills
        links = self.priced_links()[fills.route, fills.period]
        return np.asarray(TICK + self.book.bids.gbps_micros[fills.bid] * links)

    def cheapest(self, *, raised: int) -> Ints:
        """Give ``Reach.cheapest`` at raised prices; each is worked out once."""
        if raised not in self._cheapest:
            self._cheapest[raised] = self.reach.cheapest(self.raised(raised))
        return self._cheapest[raised]

    def raised(self, by: int) -> ExactPrices:
        """Give the published prices with ``by`` micro-ticks more on every cell and limited link."""
        limited = self.book.link_gbps_micros != UNLIMITED
        return ExactPrices(
            cells=self.prices.cells + by,
            links=self.prices.links + by * limited,
            power=self.prices.power,
            domestic_attos=self.prices.domestic_attos,
        )


def is_increasing(columns: list[Ints]) -> bool:
    """Return whether rows are sorted by their columns, without two that are the same."""
    before = np.zeros(max(0, len(columns[0]) - 1), dtype=np.bool_)
    same = ~before
    for column in columns:
        before |= same & (column[:-1] < column[1:])
        same &= column[:-1] == column[1:]
    return bool(before.all())


def find_sorted(among: Ints, keys: Ints) -> Ints:
    """Give where each key stands in a sorted array; -1 where it does not."""
    if not len(among):
        return np.full(len(keys), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(among, keys), len(among) - 1)
    return np.where(among[place] == keys, place, -1)
