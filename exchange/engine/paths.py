"""Where a shape may run, and what the way there costs at the published prices."""

from dataclasses import dataclass

import numpy as np

from exchange.engine.board import Board, Room
from exchange.engine.book import UNLIMITED, Flags, Ints, Names
from exchange.engine.exact import HUGE
from exchange.engine.reach import window_sums
from exchange.engine.shapes import Shape

UNIT = 1_000_000
_MOST = 4 * 10**17  # Above every cost that a limit can meet; sums of a few fit an int64.


@dataclass(frozen=True, slots=True)
class Places:
    """Acceptable (site, accelerator) pairs: rows of the board's, and by row the shape's terms."""

    pair: Ints
    factor: Ints
    gang: Ints
    region: Ints


@dataclass(frozen=True, slots=True)
class Ways:
    """Shape (regions, starts): the cost per accelerator of the cheapest route; ``HUGE``: none.

    ``roomy`` flags where a route of that cost had bandwidth left for the whole shape.
    """

    cost: Ints
    route: Ints
    roomy: Flags


def places_of(board: Board, shape: Shape) -> Places:
    """Find the pairs whose accelerator, region and renewable share the shape accepts."""
    site, chip = board.pairs
    names = board.accelerators.names
    factors = np.array([shape.factors_micros.get(name, 0) for name in names.tolist()], dtype=object)
    region = board.sites.region[site]
    green = board.sites.renewable_micros[site] >= shape.renewable_micros_min
    allowed = np.array([not shape.regions or name in shape.regions for name in board.regions])
    rows = np.flatnonzero((factors[chip] > 0) & green & allowed[region])
    factor = factors[chip[rows]].astype(np.int64)
    gangs = {one: shape.gang_lots(one) for one in set(factor.tolist())}
    gang = np.array([gangs[one] for one in factor.tolist()], dtype=np.int64)
    return Places(rows, factor, gang, region[rows])


def ways_of(board: Board, shape: Shape, *, duration: int, lots: int) -> Ways:
    """Find the cheapest route to each region at each start; ties go to the fastest, then by name.

    ``lots``: the accelerators that are to be reached at a time.
    """
    sums = window_sums(board.routes_price, duration)
    size = (len(board.regions), sums.shape[1])
    cost = np.full(size, HUGE, dtype=np.int64)
    route = np.full(size, -1, dtype=np.int64)
    roomy = np.zeros(size, dtype=np.bool_)
    narrow = board.route_room < lots * shape.gbps_micros
    full = window_sums(narrow.astype(np.int64), duration) > 0
    for one in _routes(board, shape):
        region = board.routes.region[one]
        paid = scale_up(sums[one], np.int64(shape.gbps_micros))
        better = paid < cost[region]
        same = paid == cost[region]
        roomier = same & ~roomy[region] & ~full[one]
        roomy[region] = np.where(better, ~full[one], roomy[region] | roomier)
        route[region] = np.where(better | roomier, one, route[region])
        cost[region] = np.where(better, paid, cost[region])
    return Ways(cost, route, roomy)


def room_for(board: Board, shape: Shape, places: Places) -> Room:
    """Leave out the unsold room that power or the domestic share would not have let the shape use.

    What others would give up needs no more of either.
    """
    periods = -(-shape.wanted_lots // shape.quantity_lots)
    able = np.zeros(board.open_cells.shape, dtype=np.bool_)
    mine = np.zeros(board.open_cells.shape, dtype=np.bool_)
    mine[places.pair] = True
    able[places.pair] = board.power_lots[places.pair] >= places.gang[:, None]
    if board.share_room is not None:
        for row, gang in zip(places.pair.tolist(), places.gang.tolist(), strict=True):
            weight = board.share_weight[row]
            fits = -weight * gang * periods <= board.share_room
            able[row] &= fits and not (board.is_share_priced and weight < 0)
    room = board.room
    kept = mine.ravel()[room.cell] & (~room.unsold | able.ravel()[room.cell])
    return Room(
        cell=room.cell[kept], price=room.price[kept], lots=room.lots[kept], unsold=room.unsold[kept]
    )


def scale_up(values: Ints, micros: Ints | np.int64) -> Ints:
    """Give ``ceil(values * micros / 10**6)``, held where no limit could meet it any more."""
    whole, rest = np.divmod(values, UNIT)
    most = _MOST // np.maximum(micros, 1)
    return np.asarray(np.minimum(whole, most) * micros - (-rest * micros // UNIT))


def _routes(board: Board, shape: Shape) -> list[int]:
    """Rows of the routes that the shape may take, the fastest first."""
    table, origin = board.routes, _row_of(board.regions, shape.origin)
    near = np.flatnonzero(table.origin == origin)
    if shape.latency_micros_max != UNLIMITED:
        near = near[table.latency_micros[near] <= shape.latency_micros_max]
    order: list[int] = near[np.argsort(table.latency_micros[near], kind="stable")].tolist()
    return order


def _row_of(names: Names, name: str) -> int:
    found = np.flatnonzero(names == name)
    return int(found[0]) if len(found) else -1


def stays(board: Board, room: Room) -> Flags:
    """Flag the room that is had without moving a price."""
    unmoved = np.array([not (board.is_share_priced and one) for one in board.share_weight])
    pair = room.cell // board.periods
    return np.asarray(room.unsold & (room.price <= board.cells.ravel()[room.cell]) & unmoved[pair])
