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
from exchange.engine.exact import HUGE, dot, scale_micros, total
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
        + sum(best_block_surplus(book, reach, prices).values())
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
    for bid in np.flatnonzero(bids.kind == BidKind.VOLUME):
        period = np.arange(bids.first[bid], bids.end[bid])
        cost = unit_costs(reach, costs, np.full(len(period), bid), period)
        gains = np.sort(np.maximum(bids.price_ticks[bid] * MICROS - cost, 0))[::-1]
        at_once = int(bids.quantity_lots[bid])
        whole, rest = divmod(int(bids.volume_lots[bid]), at_once)
        best += total(gains[:whole]) * at_once
        best += int(gains[whole]) * rest if rest else 0
    return best


def best_block_surplus(book: Book, reach: Reach, prices: ExactPrices) -> dict[tuple[int, int], int]:
    """Give the best surplus of each group, and of each block in none, in micro-ticks x lots.

    Keys are (group, -1) and (``NO_GROUP``, bid).
    """
    best: dict[tuple[int, int], int] = {}
    for bid, surplus in block_surpluses(book, reach, prices).items():
        group = int(book.bids.group[bid])
        key = (group, -1) if group != NO_GROUP else (NO_GROUP, bid)
        best[key] = max(best.get(key, 0), surplus)
    return best


def block_surpluses(book: Book, reach: Reach, prices: ExactPrices) -> dict[int, int]:
    """Give each block's best surplus at the prices, over all its options; may be negative.

    A block that can be placed nowhere is left out.
    """
    bids = book.bids
    blocks = np.flatnonzero(bids.kind == BidKind.BLOCK)
    found: dict[int, int] = {}
    for duration in np.unique(bids.duration[blocks]):
        costs = reach.cheapest(prices, int(duration))
        for bid in blocks[bids.duration[blocks] == duration].tolist():
            surplus = _best_option(book, reach, costs, bid)
            if surplus is not None:
                found[bid] = surplus
    return found


def _best_option(book: Book, reach: Reach, costs: Ints, bid: int) -> int | None:
    """Give a block's surplus at its best accelerator and start; None where it fits nowhere."""
    bids = book.bids
    last = int(bids.end[bid] - bids.duration[bid])
    choices = slice(int(bids.choice_start[bid]), int(bids.choice_start[bid + 1]))
    cheapest = costs[reach.want[choices], bids.first[bid] : last + 1].min(axis=1)
    value = block_value(book, bid)
    lots = block_lots(int(bids.quantity_lots[bid]), bids.choice_factor_micros[choices])
    fits = cheapest < HUGE
    pairs = zip(cheapest[fits].tolist(), lots[fits].tolist(), strict=True)
    return max((value - cost * taken for cost, taken in pairs), default=None)


def block_value(book: Book, bid: int) -> int:
    """Give what a whole block is worth at its limit, in micro-ticks x lots."""
    bids = book.bids
    ticks = int(bids.price_ticks[bid]) * int(bids.quantity_lots[bid])
    return ticks * int(bids.duration[bid]) * MICROS


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
