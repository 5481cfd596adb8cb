"""What would have become of one more bid, from the prices that were published: no clearing.

Where there was room at the published prices, they support the bid as they are: a bid with a gain
that is filled so is filled in every clearing of the book with it in which no other blocks are
chosen. Where there was not, it takes what others would rather give up, up to its limit: prices
would rise (``moves_prices``). Only room that needs no more power, bandwidth or foreign share than
was left counts, so what is said to be filled adds to the welfare of the allocation that was found.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.board import Board
from exchange.engine.book import MICROS, BidKind, Flags, Ints
from exchange.engine.exact import HUGE
from exchange.engine.paths import Places, Ways, places_of, room_for, scale_up, stays, ways_of
from exchange.engine.shapes import Answer, Outcome, Placement, Shape
from exchange.engine.what_if_blocks import ask_block


@dataclass(frozen=True, slots=True)
class _Rows:
    """Room within reach: the published cost of a unit-hour, its certain cost, and lots of units.

    ``at_price``: it can be had without moving a price.
    """

    pair: Ints
    period: Ints
    cost: Ints
    certain: Ints
    units: Ints
    at_price: Flags

    def cut(self, rows: Ints, units: Ints) -> "_Rows":
        """Take some rows, with so many units of each."""
        return _Rows(
            self.pair[rows],
            self.period[rows],
            self.cost[rows],
            self.certain[rows],
            units,
            self.at_price[rows],
        )


def ask(board: Board, shape: Shape) -> Answer:
    """Say what would have become of a bid in a published auction."""
    assert 0 <= shape.first < shape.end <= board.periods
    places = places_of(board, shape)
    if shape.kind == BidKind.BLOCK:
        return ask_block(board, shape, places)
    lots = int(places.gang.max(initial=0))
    ways = ways_of(board, shape, duration=1, lots=lots)
    costs = _published(board, shape, places, ways).min(axis=0, initial=HUGE)
    if costs.min() >= HUGE:
        return Answer(outcome=Outcome.UNREACHABLE, wanted_lots=shape.wanted_lots)
    rows = _rows(board, shape, places, ways)
    got = _take(shape, rows, rows.certain <= shape.price_ticks * MICROS)
    moves = _moves(shape, got, costs)
    return Answer(
        outcome=_outcome(shape, got, int(costs.min())),
        wanted_lots=shape.wanted_lots,
        filled_lots=int(got.units.sum()),
        moves_prices=moves,
        cheapest=int(costs.min()),
        average=_average(got),
        needed_ticks=_needed(shape, rows),
        placements=tuple(_placements(board, got, ways)),
    )


def _outcome(shape: Shape, got: _Rows, least: int) -> Outcome:
    filled = int(got.units.sum())
    if filled == shape.wanted_lots:
        return Outcome.FILLED
    if filled:
        return Outcome.PARTLY_FILLED
    return Outcome.SOLD_OUT if least <= shape.price_ticks * MICROS else Outcome.OUTBID


def _moves(shape: Shape, got: _Rows, costs: Ints) -> bool:
    """Tell whether it gets less or dearer than it would ask for at the published prices."""
    reached = np.sort(costs[costs <= shape.price_ticks * MICROS])
    units = np.full(len(reached), shape.quantity_lots, dtype=np.int64)
    if shape.kind == BidKind.VOLUME:
        units = np.clip(shape.volume_lots - (np.cumsum(units) - units), 0, units)
    if int(units.sum()) != int(got.units.sum()) or not got.at_price.all():
        return True
    return _paid(reached, units) != _paid(got.cost, got.units)


def _published(board: Board, shape: Shape, places: Places, ways: Ways) -> Ints:
    """Shape (places, periods of the window): the cost of a unit-hour at the published prices."""
    window = slice(shape.first, shape.end)
    way = ways.cost[places.region, window]
    there = board.open_cells[places.pair, window] & (way < HUGE)
    cost = scale_up(
        board.cells[places.pair, window] + np.where(there, way, 0), places.factor[:, None]
    )
    return np.where(there, cost, HUGE)


def _rows(board: Board, shape: Shape, places: Places, ways: Ways) -> _Rows:
    room = room_for(board, shape, places)
    pair, period = np.divmod(room.cell, board.periods)
    region = board.sites.region[board.pairs[0][pair]]
    way = ways.cost[region, period]
    usable = ways.roomy[region, period] & (period >= shape.first) & (period < shape.end)
    rows = np.flatnonzero(usable)
    pair, period, way = pair[rows], period[rows], way[rows]
    place = np.full(len(board.pairs[0]), -1, dtype=np.int64)
    place[places.pair] = np.arange(len(places.pair))
    factor = places.factor[place[pair]]
    price, step = board.cells[pair, period], room.price[rows]
    return _Rows(
        pair=pair,
        period=period,
        cost=scale_up(price + way, factor),
        certain=scale_up(np.maximum(price, step) + way, factor),
        units=room.lots[rows] * MICROS // factor,
        at_price=stays(board, room)[rows],
    )


def _take(shape: Shape, rows: _Rows, allowed: Flags) -> _Rows:
    """Fill each period from its cheapest room; a volume bid its cheapest periods."""
    which = np.flatnonzero(allowed)
    keys = (~rows.at_price[which], rows.certain[which], rows.period[which])
    which = which[np.lexsort(keys)]
    period, units = rows.period[which], rows.units[which]
    total = np.cumsum(units) - units
    start = np.searchsorted(period, period)
    taken = np.clip(shape.quantity_lots - (total - total[start]), 0, units)
    if shape.kind == BidKind.VOLUME:
        by_cost = np.lexsort((period, rows.certain[which]))
        which, taken = which[by_cost], taken[by_cost]
        taken = np.clip(shape.volume_lots - (np.cumsum(taken) - taken), 0, taken)
    some = taken > 0
    return rows.cut(which[some], taken[some])


def _needed(shape: Shape, rows: _Rows) -> int | None:
    got = _take(shape, rows, np.ones(len(rows.pair), dtype=np.bool_))
    if int(got.units.sum()) < shape.wanted_lots:
        return None
    return max(0, -(-int(got.certain.max()) // MICROS))


def _average(got: _Rows) -> int | None:
    units = int(got.units.sum())
    if not units:
        return None
    size = int(got.period.max()) + 1
    dearest, moved = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.bool_)
    np.maximum.at(dearest, got.period, got.certain)
    moved[got.period[~got.at_price]] = True
    costs = np.where(moved[got.period], dearest[got.period], got.cost)
    return -(-_paid(costs, got.units) // units)


def _paid(costs: Ints, units: Ints) -> int:
    return int((costs.astype(object) * units).sum())


def _placements(board: Board, got: _Rows, ways: Ways) -> list[Placement]:
    """Add up what was taken by pair and route, the greatest part first."""
    route = ways.route[board.sites.region[board.pairs[0][got.pair]], got.period]
    found = []
    for pair, way in sorted(set(zip(got.pair.tolist(), route.tolist(), strict=True))):
        rows = np.flatnonzero((got.pair == pair) & (route == way))
        part = got.cut(rows, got.units[rows])
        cost = _average(part)
        assert cost is not None
        found.append(
            Placement(
                site=str(board.sites.names[board.pairs[0][pair]]),
                accelerator=str(board.accelerators.names[board.pairs[1][pair]]),
                route=str(board.routes.names[way]),
                first=int(part.period.min()),
                end=int(part.period.max()) + 1,
                unit_lots=int(part.units.sum()),
                unit_cost=cost,
            )
        )
    return sorted(found, key=lambda one: -one.unit_lots)
