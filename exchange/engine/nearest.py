"""The nearest changes to a shape, one field at a time, with which all of it would be filled."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from exchange.engine.board import Board
from exchange.engine.book import LOTS_PER_UNIT, UNLIMITED, BidKind
from exchange.engine.shapes import Answer, Outcome, Shape
from exchange.engine.what_if import ask


@dataclass(frozen=True, slots=True)
class Change:
    """``field`` of the shape, the shape with it changed, and what would become of that."""

    field: str
    shape: Shape
    answer: Answer


def nearest_changes(board: Board, shape: Shape) -> Iterator[Change]:
    """Yield for each field the smallest change that alone lets all of the shape be filled.

    ``window`` moves the window as it is, the least way that does; ``regions`` and
    ``accelerators`` add the one that costs least.
    """
    for name, candidates in _CANDIDATES.items():
        found = candidates(board, shape)
        if found is not None:
            yield Change(name, found, ask(board, found))


def _limit(board: Board, shape: Shape) -> Shape | None:
    needed = ask(board, shape).needed_ticks
    if needed is None or needed <= shape.price_ticks:
        return None
    return replace(shape, price_ticks=needed)


def _regions(board: Board, shape: Shape) -> Shape | None:
    if not shape.regions:
        return None
    others = sorted(set(board.regions.tolist()) - shape.regions)
    return _cheapest(board, (replace(shape, regions=shape.regions | {one}) for one in others))


def _accelerators(board: Board, shape: Shape) -> Shape | None:
    """One more chip, its factor by FP16 work."""
    chips = board.accelerators
    tflops = dict(zip(chips.names.tolist(), chips.tflops_micros.tolist(), strict=True))
    work = [
        factor * tflops[name] for name, factor in shape.factors_micros.items() if name in tflops
    ]
    if not work:
        return None
    return _cheapest(
        board,
        (
            replace(shape, factors_micros={**shape.factors_micros, one: -(-min(work) // power)})
            for one, power in tflops.items()
            if one not in shape.factors_micros and power
        ),
    )


def _window(board: Board, shape: Shape) -> Shape | None:
    for hours in range(1, board.periods):
        for step in (hours, -hours):
            if shape.first + step < 0 or shape.end + step > board.periods:
                continue
            moved = replace(shape, first=shape.first + step, end=shape.end + step)
            if _is_filled(board, moved):
                return moved
    return None


def _duration(board: Board, shape: Shape) -> Shape | None:
    """A shorter block: the longest that would do."""
    if shape.kind != BidKind.BLOCK:
        return None
    shorter = (replace(shape, duration=hours) for hours in range(shape.duration - 1, 0, -1))
    return _first(board, shorter)


def _quantity(board: Board, shape: Shape) -> Shape | None:
    """A smaller block: the greatest of those by halves of the step that would do."""
    if shape.kind != BidKind.BLOCK:
        return None
    done, over = 0, shape.quantity_lots // LOTS_PER_UNIT
    while over - done > 1:
        middle = (done + over) // 2
        if _is_filled(board, replace(shape, quantity_lots=middle * LOTS_PER_UNIT)):
            done = middle
        else:
            over = middle
    return replace(shape, quantity_lots=done * LOTS_PER_UNIT) if done else None


def _latency(board: Board, shape: Shape) -> Shape | None:
    bound = shape.latency_micros_max
    if bound == UNLIMITED:
        return None
    from_here = board.regions[board.routes.origin] == shape.origin
    steps = np.unique(board.routes.latency_micros[from_here])
    slower = steps[steps > bound].tolist()
    return _first(board, (replace(shape, latency_micros_max=step) for step in slower))


def _renewable(board: Board, shape: Shape) -> Shape | None:
    least = shape.renewable_micros_min
    shares = np.unique(board.sites.renewable_micros)
    lower = shares[shares < least].tolist()[::-1]
    return _first(board, (replace(shape, renewable_micros_min=share) for share in lower))


_CANDIDATES: Final[dict[str, Callable[[Board, Shape], Shape | None]]] = {
    "limit_price": _limit,
    "regions": _regions,
    "accelerators": _accelerators,
    "window": _window,
    "duration": _duration,
    "quantity": _quantity,
    "latency_ms_max": _latency,
    "renewable_share_min": _renewable,
}


def _is_filled(board: Board, shape: Shape) -> bool:
    return ask(board, shape).outcome == Outcome.FILLED


def _first(board: Board, shapes: Iterable[Shape]) -> Shape | None:
    return next((shape for shape in shapes if _is_filled(board, shape)), None)


def _cheapest(board: Board, shapes: Iterable[Shape]) -> Shape | None:
    filled = [
        (answer.average or 0, number, shape)
        for number, shape in enumerate(shapes)
        if (answer := ask(board, shape)).outcome == Outcome.FILLED
    ]
    return min(filled)[2] if filled else None
