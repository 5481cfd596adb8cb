"""Does a clearing keep every promise of the market's rules, and what do its prices prove?

``check`` looks at the raw book and the published result alone and needs no solver. It runs before
every publication, in the tests, and for auditors on an archive.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from exchange.engine import audit_blocks, audit_limits, audit_prices, audit_quantities, audit_ties
from exchange.engine.audit_case import Case, Failure, Failures
from exchange.engine.audit_fills import PeriodFills
from exchange.engine.audit_margin import Margin
from exchange.engine.book import MICROS, BidKind, Book
from exchange.engine.bound import block_values, in_micros, prove_bound
from exchange.engine.exact import dot
from exchange.engine.outcome import Clearing


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What ``check`` found.

    ``failures`` names the first of each code, ``counts`` says how many there are of each.
    ``welfare_micros`` is recomputed exactly from the fills, ``bound_micros`` from the certificate
    prices over the raw book. ``rejected_winners`` names the blocks that would have gained at the
    published prices; ``regret_micros`` is by how much, over blocks and groups.
    """

    failures: tuple[Failure, ...]
    counts: dict[str, int]
    welfare_micros: Fraction
    bound_micros: int
    rejected_winners: tuple[str, ...]
    regret_micros: Fraction

    @property
    def is_clean(self) -> bool:
        """Whether every promise is kept."""
        return not self.counts

    @property
    def gap(self) -> float:
        """How far the welfare may be from the best, as a share of the bound."""
        return proved_gap(self.welfare_micros, self.bound_micros)


def proved_gap(welfare_micros: Fraction, bound_micros: int) -> float:
    """Give ``(bound - welfare) / bound``; 0 where there is nothing to gain."""
    return float((bound_micros - welfare_micros) / bound_micros) if bound_micros > 0 else 0.0


def check(book: Book, clearing: Clearing) -> Audit:
    """Check a clearing against its book: every promise of section 5 of the market's rules."""
    failures = Failures()
    case = Case(book, clearing, failures)
    if not audit_limits.shapes_fit(case):
        return _unreadable(failures)
    audit_quantities.check_shape(case)
    if failures.counts:
        return _unreadable(failures)
    audit_quantities.check_supply(case)
    audit_quantities.check_offers(case)
    audit_quantities.check_bids(case)
    audit_quantities.check_amounts(case)
    audit_quantities.check_blocks(case)
    audit_limits.check_cell_prices(case)
    filled = PeriodFills(case)
    margin = Margin(case, filled)
    audit_limits.check_links(case, margin)
    audit_limits.check_certificate(case)
    if (case.pair < 0).any() or (case.choice < 0).any():
        return _unreadable(failures)
    audit_limits.check_power(case, margin)
    audit_limits.check_domestic_share(case, margin)
    audit_prices.check_no_loss(case)
    audit_prices.check_cheapest(case)
    audit_prices.check_hourly_whole(case, filled)
    audit_prices.check_volumes(case, filled)
    audit_prices.check_sellers(case)
    audit_ties.check_offer_ties(case)
    audit_ties.check_bid_ties(case, filled)
    return _judge(case)


def _judge(case: Case) -> Audit:
    book, clearing, failures = case.book, case.clearing, case.failures
    gained = audit_blocks.obtained_surpluses(case)
    audit_blocks.check_blocks_gain(case, gained)
    review = audit_blocks.review_blocks(case, gained)
    welfare = exact_welfare(case)
    if not 0 <= welfare - clearing.welfare_micros < 1:
        reason = f"{float(clearing.welfare_micros)} where the fills give {float(welfare)}"
        failures.add("welfare_wrong", "welfare", reason)
    bound = prove_bound(book, clearing.certificate, case.reach)
    if clearing.bound_micros < bound:
        reason = f"{clearing.bound_micros} where the certificate proves {bound}"
        failures.add("bound_not_proved", "bound", reason)
    return Audit(
        failures=tuple(failures.named),
        counts=failures.counts,
        welfare_micros=welfare,
        bound_micros=bound,
        rejected_winners=tuple(review.rejected_winners),
        regret_micros=in_micros(book, review.regret),
    )


def _unreadable(failures: Failures) -> Audit:
    return Audit(
        failures=tuple(failures.named),
        counts=failures.counts,
        welfare_micros=Fraction(0),
        bound_micros=0,
        rejected_winners=(),
        regret_micros=Fraction(0),
    )


def exact_welfare(case: Case) -> Fraction:
    """Give buyers' limit value of what they get less sellers' limit cost, in micro-units."""
    book, fills, sold = case.book, case.clearing.bid_fills, case.clearing.offer_fills
    bids = book.bids
    block = bids.kind[fills.bid] == BidKind.BLOCK
    value = Fraction(sum(block_values(book, np.unique(fills.bid[block])).tolist()))
    rows = np.flatnonzero(~block)
    rows = rows[np.argsort(case.factor_micros[rows], kind="stable")]
    cuts = np.flatnonzero(np.diff(case.factor_micros[rows])) + 1
    for part in np.split(rows, cuts) if len(rows) else ():
        ticks = dot(bids.price_ticks[fills.bid[part]], fills.quantity_lots[part])
        value += Fraction(ticks * MICROS * MICROS, int(case.factor_micros[part[0]]))
    cost = dot(book.offers.price_ticks[sold.offer], sold.quantity_lots) * MICROS
    return in_micros(book, value - cost)
