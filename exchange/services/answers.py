"""Why every bid of a book got what it got, from the clearing prices. Arithmetic only."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, NO_GROUP, BidKind, Book, Ints
from exchange.engine.bound import (
    block_surpluses,
    block_value,
    unit_costs,
    unroll_windows,
)
from exchange.engine.exact import HUGE
from exchange.engine.exact_prices import published
from exchange.engine.outcome import Clearing
from exchange.engine.reach import Reach
from exchange.foundation.money import TICKS, format_scaled
from exchange.models import Answer
from exchange.queries.order_names import order_of
from exchange.services.exclusions import excluding_rule

MICRO_TICKS_PER_MICRO = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BidStory:
    """What one order is told; ``filled_lot_minutes`` is lots of units times minutes."""

    answer: Answer
    detail: str = ""
    filled_lot_minutes: int = 0
    cheapest_micros: int | None = None


def answer_bids(book: Book, clearing: Clearing) -> dict[str, BidStory]:
    """Return the story of each order of the book, by its public id."""
    reach = Reach(book)
    cheapest = _cheapest(book, clearing, reach)
    got, cells = _got(book, clearing)
    served_groups = set(book.bids.group[np.flatnonzero(got)].tolist()) - {NO_GROUP}
    rows = defaultdict(list)
    for row, name in enumerate(book.bids.names.tolist()):
        rows[order_of(name)].append(row)
    wanted = _wanted(book)
    stories = {}
    for order, parts in rows.items():
        amounts = [int(array[parts].sum()) for array in (wanted, got, cells)]
        least = min((cost for row in parts if (cost := cheapest[row]) is not None), default=None)
        is_served = int(book.bids.group[parts[0]]) in served_groups
        stories[order] = _tell(book, parts[0], amounts, cheapest=least, is_job_served=is_served)
    return stories


def _tell(
    book: Book, row: int, amounts: list[int], *, cheapest: int | None, is_job_served: bool
) -> BidStory:
    wanted, got, cells = amounts
    limit = int(book.bids.price_ticks[row]) * MICROS
    cost = None if cheapest is None else -(-cheapest // MICRO_TICKS_PER_MICRO)
    if got:
        whole = wanted - got <= cells  # less than a lot short in each cell used
        answer = Answer.FILLED if whole else Answer.PARTIALLY_FILLED
        minutes = got * book.period_minutes
        return BidStory(answer=answer, filled_lot_minutes=minutes, cheapest_micros=cost)
    if cheapest is None:
        rule = excluding_rule(book, row)
        return BidStory(answer=Answer.NO_CAPACITY, detail=f"excluded by {rule}")
    if is_job_served:
        return BidStory(answer=Answer.OTHER_ALTERNATIVE, cheapest_micros=cost)
    if cheapest > limit:
        text = format_scaled(-(-cheapest // MICROS), scale=TICKS)
        detail = f"the cheapest acceptable cost was {text} a unit-hour"
        return BidStory(answer=Answer.OUT_OF_THE_MONEY, detail=detail, cheapest_micros=cost)
    is_block = book.bids.kind[row] == BidKind.BLOCK
    answer = Answer.INDIVISIBLE if is_block else Answer.AT_THE_MARGIN
    return BidStory(answer=answer, cheapest_micros=cost)


def _wanted(book: Book) -> Ints:
    """What each row asked for, in lots of units times periods."""
    bids = book.bids
    hourly = bids.quantity_lots * (bids.end - bids.first)
    block = bids.quantity_lots * bids.duration
    return np.select(
        [bids.kind == BidKind.BLOCK, bids.kind == BidKind.VOLUME],
        [block, bids.volume_lots],
        hourly,
    )


def _got(book: Book, clearing: Clearing) -> tuple[Ints, Ints]:
    """What each row got, in lots of units times periods, and in how many cells."""
    fills, bids = clearing.bid_fills, book.bids
    factors = _fill_factors(book, clearing)
    units = [
        lots * MICROS // f for lots, f in zip(fills.quantity_lots.tolist(), factors, strict=True)
    ]
    got = np.zeros(len(bids.names), dtype=np.int64)
    cells = np.zeros(len(bids.names), dtype=np.int64)
    np.add.at(got, fills.bid, np.array(units, dtype=np.int64))
    np.add.at(cells, fills.bid, 1)
    # A block takes whole accelerators, maybe more than its units need: it is whole or nothing.
    whole = (bids.kind == BidKind.BLOCK) & (got > 0)
    got[whole] = (bids.quantity_lots * bids.duration)[whole]
    return got, cells


def _fill_factors(book: Book, clearing: Clearing) -> list[int]:
    bids, fills = book.bids, clearing.bid_fills
    chosen = np.repeat(np.arange(len(bids.names)), np.diff(bids.choice_start))
    factor = dict(
        zip(
            zip(chosen.tolist(), bids.choice_accelerator.tolist(), strict=True),
            bids.choice_factor_micros.tolist(),
            strict=True,
        )
    )
    keys = zip(fills.bid.tolist(), fills.accelerator.tolist(), strict=True)
    return [factor[key] for key in keys]


def _cheapest(book: Book, clearing: Clearing, reach: Reach) -> list[int | None]:
    """The least cost of a unit-hour at the clearing prices, in micro-ticks; None: out of reach."""
    prices = published(clearing.prices)
    bids = book.bids
    found: list[int | None] = [None] * len(bids.names)
    for bid, surplus in block_surpluses(book, reach, prices).items():
        unit_periods = int(bids.quantity_lots[bid] * bids.duration[bid])
        found[bid] = -(-(block_value(book, bid) - surplus) // unit_periods)
    divisible = np.flatnonzero(bids.kind != BidKind.BLOCK)
    if not len(divisible):
        return found
    row, period = unroll_windows(bids.first[divisible], bids.end[divisible])
    costs = unit_costs(reach, reach.cheapest(prices), divisible[row], period)
    starts = np.concatenate([[0], np.cumsum(bids.end[divisible] - bids.first[divisible])[:-1]])
    for bid, cost in zip(divisible.tolist(), np.minimum.reduceat(costs, starts), strict=True):
        found[bid] = int(cost) if cost < HUGE else None
    return found


assert LOTS_PER_UNIT * TICKS == MICROS  # a tick times a lot is a micro-unit
