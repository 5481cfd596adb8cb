"""What would have become of a block: one site, one accelerator, one route, whole or not at all."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.engine.board import Board, Room
from exchange.engine.book import MICROS, Flags, Ints
from exchange.engine.exact import HUGE
from exchange.engine.paths import Places, Ways, room_for, stays, ways_of
from exchange.engine.reach import window_sums
from exchange.engine.shapes import Answer, Outcome, Placement, Shape

_SHUT: Final = 10**15  # The price of an accelerator that cannot be had: above every other.


@dataclass(frozen=True, slots=True)
class _Option:
    """A place and a start with what an accelerator costs there through the whole block."""

    pair: int
    start: int
    cost: int
    gang: int
    route: int

    def of_unit(self, shape: Shape) -> int:
        """The cost of a unit-hour in micro-ticks, rounded up."""
        return -(-self.cost * self.gang // shape.wanted_lots)


@dataclass(frozen=True, slots=True)
class _Gang:
    """All places for one size of gang."""

    board: Board
    shape: Shape
    rows: Ints
    gang: int
    ways: Ways

    def cheapest(self, prices: Ints, able: Flags, ways: Flags) -> _Option | None:
        """The cheapest start at these prices (pairs given, periods), where it is able throughout.

        ``ways`` flags (regions, starts) whose route may be taken.
        """
        duration = self.shape.duration
        starts = slice(self.shape.first, self.shape.end - duration + 1)
        region = self.board.sites.region[self.board.pairs[0][self.rows]]
        shut = window_sums((~able).astype(np.int64), duration)[:, starts] > 0
        shut |= ~ways[region, starts]
        sums = window_sums(np.where(able, prices, 0), duration)[:, starts]
        cost = np.where(shut, HUGE, sums + np.where(shut, 0, self.ways.cost[region, starts]))
        if cost.min(initial=HUGE) >= HUGE:
            return None
        place, offset = np.unravel_index(int(cost.argmin()), cost.shape)
        start = self.shape.first + int(offset)
        route = int(self.ways.route[region[place], start])
        best = int(cost[place, offset])
        return _Option(int(self.rows[place]), start, best, self.gang, route)


def ask_block(board: Board, shape: Shape, places: Places) -> Answer:
    """Say what would have become of a block in a published auction."""
    if shape.duration > board.periods:
        return Answer(outcome=Outcome.UNREACHABLE, wanted_lots=shape.wanted_lots)
    room = room_for(board, shape, places)
    published, at_price, certain = [], [], []
    for gang in np.unique(places.gang).tolist():
        rows = places.pair[places.gang == gang]
        ways = ways_of(board, shape, duration=shape.duration, lots=gang)
        size = _Gang(board, shape, rows, gang, ways)
        cells, there = (
            board.cells[rows],
            board.open_cells[rows] & (board.gang_lots_max[rows] >= gang),
        )
        marginal, still = _marginal_prices(board, room, rows, gang)
        risen = np.maximum(marginal, cells)
        published.append(size.cheapest(cells, there, ways.cost < HUGE))
        at_price.append(size.cheapest(cells, still, ways.roomy))
        certain.append(size.cheapest(risen, marginal < _SHUT, ways.roomy))
    return _tell(board, shape, [_best(shape, some) for some in (published, at_price, certain)])


def _marginal_prices(board: Board, room: Room, rows: Ints, gang: int) -> tuple[Ints, Flags]:
    """Give (rows, periods): the price of the last accelerator that a gang would take there.

    With it where all of the gang can be had without moving the price.
    """
    width = board.periods
    cell = (rows[:, None] * width + np.arange(width)).ravel()
    total = np.append(0, np.cumsum(room.lots))
    first, end = np.searchsorted(room.cell, cell), np.searchsorted(room.cell, cell, side="right")
    last = np.searchsorted(total, total[first] + gang) - 1
    held = last < end
    price = np.append(room.price, _SHUT)[np.where(held, last, len(room.price))]
    left = np.append(0, np.cumsum(np.where(stays(board, room), room.lots, 0)))
    still = left[end] - left[first] >= gang
    return price.reshape(-1, width), still.reshape(-1, width)


def _best(shape: Shape, options: list[_Option | None]) -> _Option | None:
    known = [option for option in options if option is not None]
    return min(known, key=lambda one: (one.of_unit(shape), one.start, one.pair), default=None)


def _tell(board: Board, shape: Shape, options: list[_Option | None]) -> Answer:
    published, at_price, certain = options
    if published is None:
        return Answer(outcome=Outcome.UNREACHABLE, wanted_lots=shape.wanted_lots)
    limit, cheapest = shape.price_ticks * MICROS, published.of_unit(shape)
    needed = None if certain is None else max(0, -(-certain.of_unit(shape) // MICROS))
    within = [one for one in (at_price, certain) if one is not None and one.of_unit(shape) <= limit]
    if not within:
        return Answer(
            outcome=Outcome.SOLD_OUT if cheapest <= limit else Outcome.OUTBID,
            wanted_lots=shape.wanted_lots,
            cheapest=cheapest,
            needed_ticks=needed,
        )
    chosen = within[0]
    place = Placement(
        site=str(board.sites.names[board.pairs[0][chosen.pair]]),
        accelerator=str(board.accelerators.names[board.pairs[1][chosen.pair]]),
        route=str(board.routes.names[chosen.route]),
        first=chosen.start,
        end=chosen.start + shape.duration,
        unit_lots=shape.wanted_lots,
        unit_cost=chosen.of_unit(shape),
    )
    return Answer(
        outcome=Outcome.FILLED,
        wanted_lots=shape.wanted_lots,
        filled_lots=shape.wanted_lots,
        moves_prices=chosen is not at_price,
        cheapest=cheapest,
        average=place.unit_cost,
        needed_ticks=needed,
        placements=(place,),
    )
