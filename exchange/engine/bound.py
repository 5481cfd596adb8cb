"""The bound that prices prove, exactly, in one pass over all raw orders.

For any prices that ``exact_prices`` admits, everyone's best surplus at those prices plus the rent
on every limit is at least the welfare of any allocation. All of it is computed in whole numbers
and rounded outward, so what is returned is a proof and not an estimate.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, NO_GROUP, BidKind, Book, Ints
from exchange.engine.distinct import distinct_rows
from exchange.engine.exact import HUGE, Objects, dot, scale_micros
from exchange.engine.exact_prices import ExactPrices, certified, net_prices
from exchange.engine.outcome import CertificatePrices
from exchange.engine.reach import Reach

_CHUNK_ROWS: Final = 2_000_000
_MINUTES: Final = 60


def prove_bound(book: Book, certificate: CertificatePrices, reach: Reach | None = None) -> int:
    """Give the bound on the welfare that certificate prices prove, in micro-units rounded up."""
    bound = bound_at(book, certified(book, certificate), reach or Reach(book))
    return -(-bound.numerator // bound.denominator)


def bound_at(book: Book, prices: ExactPrices, reach: Reach) -> Fraction:
    """Give the bound at whole prices, in micro-units."""
    costs = reach.cheapest(prices)
    surplus = (
        hourly_surplus(book, reach, costs)
        + volume_surplus(book, reach, costs)
        + sum(best_by_job(book, block_surpluses(book, reach, prices)).values())
        + offer_surplus(book, prices)
    )
    return in_micros(book, surplus + rents(book, prices))


def in_micros(book: Book, amount: int | Fraction) -> Fraction:
    """Turn micro-ticks x lots (10**-12 of the currency) per hour into micro-units per period."""
    return Fraction(amount) * book.period_minutes / (_MINUTES * MICROS)


def offer_surplus(book: Book, prices: ExactPrices) -> int:
    """Give the sellers' best surplus in micro-ticks x lots."""
    net = net_prices(book, prices)
    offers, best = book.offers, 0
    for rows, period in window_rows(offers.first, offers.end):
        gain = net[book.offer_pair[rows], period] - offers.price_ticks[rows] * MICROS
        best += dot(np.maximum(gain, 0), offers.quantity_lots[rows])
    return best


def hourly_surplus(book: Book, reach: Reach, costs: Ints) -> int:
    """Give the best surplus of all hourly bids in micro-ticks x lots."""
    bids, best = book.bids, 0
    hourly = np.flatnonzero(bids.kind == BidKind.HOURLY)
    for rows, period in window_rows(bids.first[hourly], bids.end[hourly]):
        bid = hourly[rows]
        gain = bids.price_ticks[bid] * MICROS - unit_costs(reach, costs, bid, period)
        best += dot(np.maximum(gain, 0), bids.quantity_lots[bid])
    return best


def volume_surplus(book: Book, reach: Reach, costs: Ints) -> int:
    """Give the best surplus of all volume bids: the cheapest unit-periods they can reach."""
    bids, best = book.bids, 0
    volumes = np.flatnonzero(bids.kind == BidKind.VOLUME)
    for rows, period in window_rows(bids.first[volumes], bids.end[volumes]):
        bid = volumes[rows]
        gain = bids.price_ticks[bid] * MICROS - unit_costs(reach, costs, bid, period)
        order = np.lexsort((-gain, bid))
        bid, gain = bid[order], np.maximum(gain[order], 0)
        before = np.arange(len(bid)) - np.searchsorted(bid, bid)
        left = bids.volume_lots[bid] - before * bids.quantity_lots[bid]
        best += dot(gain, np.clip(left, 0, bids.quantity_lots[bid]))
    return best


def best_by_job(book: Book, surpluses: dict[int, int]) -> dict[tuple[int, int], int]:
    """Give the best of its blocks' surpluses for each job (``job_of``); never below nothing."""
    best: dict[tuple[int, int], int] = {}
    for bid, surplus in surpluses.items():
        job = job_of(book, bid)
        best[job] = max(best.get(job, 0), surplus)
    return best


def job_of(book: Book, bid: int) -> tuple[int, int]:
    """Return what stands for a block's job: (group, -1), or (``NO_GROUP``, bid) in no group."""
    group = int(book.bids.group[bid])
    return (group, -1) if group != NO_GROUP else (NO_GROUP, bid)


def block_surpluses(book: Book, reach: Reach, prices: ExactPrices) -> dict[int, int]:
    """Give each block's best surplus at the prices, over all its options; may be negative.

    An option is a start on one site that can hold the whole block, were it alone. A block that
    can be placed nowhere is left out.
    """
    bids = book.bids
    blocks = np.flatnonzero(bids.kind == BidKind.BLOCK)
    row, choice = unroll_windows(bids.choice_start[blocks], bids.choice_start[blocks + 1])
    bid = blocks[row]
    lots = block_lots(bids.quantity_lots[bid], bids.choice_factor_micros[choice])
    found: dict[int, int] = {}
    (durations, sizes), kind = distinct_rows((bids.duration[bid], lots // LOTS_PER_UNIT))
    order = np.argsort(kind, kind="stable")
    ends = np.searchsorted(kind[order], np.arange(len(sizes) + 1)).tolist()
    for number, shape in enumerate(zip(durations.tolist(), sizes.tolist(), strict=True)):
        mine = order[ends[number] : ends[number + 1]]
        best = _gang_surpluses(reach, prices, shape, (bid[mine], choice[mine]))
        for one, surplus in best:
            found[one] = max(found.get(one, surplus), surplus)
    return found


def _gang_surpluses(
    reach: Reach, prices: ExactPrices, shape: tuple[int, int], chosen: tuple[Ints, Ints]
) -> Iterator[tuple[int, int]]:
    """Give blocks of one (duration, size) with their surplus at the best start, by choice."""
    book, bids = reach.book, reach.book.bids
    (duration, size), (bid, choice) = shape, chosen
    wants, want = np.unique(reach.want[choice], return_inverse=True)
    costs = reach.cheapest_for_gang(prices, duration, (size, wants))
    for rows, start in window_rows(bids.first[bid], bids.end[bid] - duration + 1):
        change = np.flatnonzero(np.diff(rows, prepend=-1))
        cheapest = np.minimum.reduceat(costs[want[rows], start], change)
        here = rows[change][cheapest < HUGE]
        paid = cheapest[cheapest < HUGE].astype(object) * (size * LOTS_PER_UNIT)
        yield from zip(bid[here].tolist(), block_values(book, bid[here]) - paid, strict=True)


def block_values(book: Book, blocks: Ints) -> Objects:
    """Give what whole blocks are worth at their limits, in micro-ticks x lots: Python integers."""
    bids = book.bids
    ticks = bids.price_ticks[blocks].astype(object) * bids.quantity_lots[blocks]
    return np.asarray(ticks * bids.duration[blocks] * MICROS, dtype=object)


def block_value(book: Book, bid: int) -> int:
    """Give what one whole block is worth at its limit, in micro-ticks x lots."""
    return int(block_values(book, np.array([bid]))[0])


def block_lots(quantity_lots: Ints | int, factor_micros: Ints) -> Ints:
    """Give the lots of accelerators a block takes: ``ceil(units x factor)`` whole ones."""
    return np.asarray(-(-quantity_lots * factor_micros // (LOTS_PER_UNIT * MICROS)) * LOTS_PER_UNIT)


def unit_costs(reach: Reach, costs: Ints, bid: Ints, period: Ints) -> Ints:
    """Give the least cost of one unit in each (bid, period), in micro-ticks rounded down.

    ``costs`` is what ``Reach.cheapest`` gave for single periods; ``HUGE`` where out of reach.
    """
    bids = reach.book.bids
    start = bids.choice_start
    counts = np.diff(start)[bid]
    best = np.full(len(bid), HUGE, dtype=np.int64)
    for place in range(int(counts.max(initial=0))):
        rows = np.flatnonzero(counts > place)
        choice = start[bid[rows]] + place
        cost = costs[reach.want[choice], period[rows]]
        unit = scale_micros(cost, bids.choice_factor_micros[choice])
        best[rows] = np.minimum(best[rows], np.where(cost < HUGE, unit, HUGE))
    return best


def rents(book: Book, prices: ExactPrices) -> Fraction:
    """Give the rent on every link and power budget in micro-ticks x lots; the policy has none."""
    amount = 0
    for price, limit in (
        (prices.links, book.link_gbps_micros),
        (prices.power, book.power_kw_micros),
    ):
        priced = price > 0
        amount += dot(price[priced], limit[priced])
    return Fraction(amount * LOTS_PER_UNIT, MICROS)


def window_rows(first: Ints, end: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Unroll windows into (row, period) pairs, some two million at a time."""
    chunk = np.cumsum(end - first) // _CHUNK_ROWS
    cuts = np.flatnonzero(np.diff(chunk)) + 1
    for rows in np.split(np.arange(len(first)), cuts):
        row, period = unroll_windows(first[rows], end[rows])
        yield rows[row], period


def unroll_windows(first: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Give one row per window and period in it: the window's row, and the period."""
    lengths = end - first
    row = np.repeat(np.arange(len(first)), lengths)
    before = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return row, np.arange(len(row)) - before + first[row]
