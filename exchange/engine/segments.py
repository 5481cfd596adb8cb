"""Long ladders of demand as a few segments around the margin, refined until they are exact.

A segment is a run of steps of one ladder at their mean price. Filled in part it is worth no more
than its best steps would be, so the program with segments is never worth more than with all steps.
At given prices only a segment with steps on both sides of the ladder's price can be worth less
than its steps: such a segment is cut around that price, finely near it and coarsely away from it.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, TICKS_PER_UNIT, Floats, Ints
from exchange.engine.ladders import NO_VOLUME
from exchange.engine.market import Duals, Market, ladder_columns
from exchange.engine.solver import Program

SHORT = 24  # Ladders of no more steps are given to the solver as they are.
PIECES = 12  # So many segments of as many steps each to begin with.
SPREAD = 4  # A cut's segments away from the price are each so many times the one before.
_LADDER = 1 << 40  # Above any price in ticks: limits of orders end at 10**11.


@dataclass(frozen=True, slots=True)
class Cut:
    """Segments to be cut, the step that each is cut around, and at most how much that adds."""

    segments: Ints
    steps: Ints
    worth: float


class Segments:
    """The demand of one market as segments; numbered in the order in which they were made.

    ``column`` gives the program's column of each, once the program has it.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        ladders = market.demand.ladders
        lots = ladders.step_lots / LOTS_PER_UNIT
        self._price = ladders.step_ticks / TICKS_PER_UNIT
        self._units = np.concatenate([[0.0], np.cumsum(lots)])
        self._money = np.concatenate([[0.0], np.cumsum(lots * self._price)])
        self._falling = ladders.step_ladder * _LADDER - ladders.step_ticks
        self.first, self.end = _first_segments(ladders.start)
        self._open = np.ones(len(self.first), dtype=np.bool_)
        self.column = np.full(len(self.first), -1, dtype=np.int64)

    def __len__(self) -> int:
        """How many there are, closed ones too."""
        return len(self.first)

    def columns(self, segments: Ints) -> Program:
        """One column per segment, in units."""
        first, end = self.first[segments], self.end[segments]
        return ladder_columns(
            self._market,
            self._market.demand.ladders.step_ladder[first],
            price=self._means(segments),
            units=self._units[end] - self._units[first],
        )

    def worth_cutting(self, duals: Duals) -> Cut:
        """Find the segments that hold a price inside."""
        ladders = self._market.demand.ladders
        longs = np.flatnonzero(self._open & (self.end - self.first > 1))
        first, end = self.first[longs], self.end[longs]
        ladder = ladders.step_ladder[first]
        price = self._prices(duals)[ladder]
        inside = (self._price[first] > price) & (self._price[end - 1] < price)
        longs, first, end = longs[inside], first[inside], end[inside]
        price, ladder = price[inside], ladder[inside]
        ticks = np.clip(np.ceil(price * TICKS_PER_UNIT), 0, _LADDER - 1).astype(np.int64)
        # Steps before ``at`` cost more than the price.
        at = np.searchsorted(self._falling, ladder * _LADDER - ticks, side="right")
        at = np.clip(at, first + 1, end - 1)
        gain = (self._money[at] - self._money[first]) - price * (
            self._units[at] - self._units[first]
        )
        whole = (self._means(longs) - price) * (self._units[end] - self._units[first])
        return Cut(longs, at, float((gain - np.maximum(whole, 0)).sum()))

    def cut(self, cut: Cut) -> Ints:
        """Replace segments by finer ones around a step; gives the new ones."""
        closed, at = cut.segments, cut.steps
        self._open[closed] = False
        cuts = [at]
        width = 1
        while len(closed) and width < int((self.end - self.first)[closed].max()):
            cuts += [at - width, at + width]
            width *= SPREAD
        first, end = self.first[closed], self.end[closed]
        edges = np.sort(np.clip(np.stack([first, *cuts, end]), first, end), axis=0)
        begin, until = edges[:-1].T.ravel(), edges[1:].T.ravel()
        some = until > begin
        opened = len(self.first) + np.arange(int(some.sum()))
        self.first = np.append(self.first, begin[some])
        self.end = np.append(self.end, until[some])
        self._open = np.append(self._open, np.ones(len(opened), dtype=np.bool_))
        self.column = np.append(self.column, np.full(len(opened), -1, dtype=np.int64))
        return opened

    def spread(self, x: Floats) -> Floats:
        """Units per step, of a program's columns: each segment's best steps first."""
        open_ = np.flatnonzero(self._open)
        order = open_[np.argsort(self.first[open_])]
        segment = np.repeat(order, self.end[order] - self.first[order])
        before = self._units[:-1] - self._units[self.first[segment]]
        units = np.diff(self._units)
        filled = x[self.column[segment]]
        alone = (self.end - self.first)[segment] == 1
        return np.where(alone, filled, np.clip(filled - before, 0.0, units))

    def _means(self, segments: Ints) -> Floats:
        first, end = self.first[segments], self.end[segments]
        alone = end - first == 1
        units = self._units[end] - self._units[first]
        mean = (self._money[end] - self._money[first]) / np.maximum(units, 1e-12)
        return np.where(alone, self._price[first], mean)

    def _prices(self, duals: Duals) -> Floats:
        """What one more unit costs each ladder: at its sink, and of its volume."""
        demand, rows = self._market.demand, self._market.rows
        prices = duals.sinks[demand.sink]
        mine = demand.volume != NO_VOLUME
        prices = prices.copy()
        prices[mine] -= duals.rows[rows.volume[demand.volume[mine]]]
        return prices


def _first_segments(start: Ints) -> tuple[Ints, Ints]:
    """(first, end) of the segments to begin with: short ladders step by step, long ones evenly."""
    length = np.diff(start)
    pieces = np.where(length > SHORT, PIECES, length)
    ladder = np.repeat(np.arange(len(length)), pieces)
    place = np.arange(len(ladder)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    first = start[:-1][ladder] + place * length[ladder] // pieces[ladder]
    end = start[:-1][ladder] + (place + 1) * length[ladder] // pieces[ladder]
    return first, end
