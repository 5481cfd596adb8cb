"""What makes the proved gap: jobs that come only whole, and what they leave unsold.

The bound is everyone's best surplus at the certificate prices plus the rents; the welfare is what
everyone has at those prices plus the rents of what is used. So the gap is a sum over jobs, sellers
and the rest, none of it negative: what a job would gain more elsewhere, what a seller would gain
from what it did not sell. At prices that leave a block nothing to gain the relaxation takes a part
of it; left out as a whole, it leaves its part unsold. So the blocks that make a gap are those out
of which the prices keep nobody: they would gain, or at least not lose, and got nothing.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from exchange.engine.audit_blocks import obtained_surpluses, regret_of
from exchange.engine.audit_case import TICK, Case, Failures
from exchange.engine.book import Book
from exchange.engine.bound import block_surpluses, in_micros, job_of, offer_surplus
from exchange.engine.exact import dot
from exchange.engine.exact_prices import ExactPrices, certified, net_prices
from exchange.engine.outcome import Clearing

_MARGIN: Final = 2 * TICK  # per lot and period: certificate prices come from floats


@dataclass(frozen=True, slots=True)
class GapMaker:
    """A block that got nothing though it would not lose: its name, and what it would gain."""

    name: str
    micros: Fraction
    lot_periods: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The gap in micro-units: in all, missed by jobs, missed by sellers for what they have left.

    The rest is missed by hourly and volume bids, and rent of limits that are priced and not full.
    ``makers`` stand with those first that would gain most, then the largest.
    """

    micros: Fraction
    jobs_micros: Fraction
    sellers_micros: Fraction
    makers: list[GapMaker]


def gap_of(book: Book, clearing: Clearing) -> Gap:
    """Take the proved gap of a clearing apart."""
    prices = certified(book, clearing.certificate)
    case = Case(book, clearing, Failures(), prices)
    got = {job_of(book, bid): gain for bid, gain in obtained_surpluses(case).items()}
    surpluses = block_surpluses(book, case.reach, prices)
    makers = []
    for bid, gain in surpluses.items():
        size = int(book.bids.quantity_lots[bid] * book.bids.duration[bid])
        if job_of(book, bid) not in got and gain >= -_MARGIN * size:
            name = str(book.bids.names[bid])
            makers.append(GapMaker(name, in_micros(book, max(gain, 0)), size))
    return Gap(
        micros=clearing.bound_micros - clearing.welfare_micros,
        jobs_micros=in_micros(book, regret_of(book, surpluses, got)),
        sellers_micros=in_micros(book, _missed_by_sellers(book, clearing, prices)),
        makers=sorted(makers, key=lambda maker: (-maker.micros, -maker.lot_periods, maker.name)),
    )


def _missed_by_sellers(book: Book, clearing: Clearing, prices: ExactPrices) -> int:
    sold, net = clearing.offer_fills, net_prices(book, prices)
    gain = net[book.offer_pair[sold.offer], sold.period]
    gain = gain - book.offers.price_ticks[sold.offer] * TICK
    gained = dot(np.maximum(gain, 0), sold.quantity_lots)
    lost = dot(np.maximum(-gain, 0), sold.quantity_lots)  # below the ask, at these prices
    return offer_surplus(book, prices) - gained + lost
