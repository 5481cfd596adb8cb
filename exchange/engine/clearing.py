"""Clear a book: the one public verb of the engine."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from exchange.engine.audit import Audit, check
from exchange.engine.book import Book, Flags
from exchange.engine.bound import prove_bound
from exchange.engine.deadline import deadline_in
from exchange.engine.idle import clear_idle
from exchange.engine.margin import cheapest_arcs, fill_margin
from exchange.engine.market import Duals, Market, lay_out_market
from exchange.engine.no_loss import Selection
from exchange.engine.outcome import CertificatePrices, Clearing, Prices
from exchange.engine.pieces import cut_pieces
from exchange.engine.pricing import Pricing
from exchange.engine.result import list_bid_fills, list_offer_fills, welfare_micros
from exchange.engine.rounding import WholeFills, round_pieces, share_supply
from exchange.engine.search import choose_blocks, first_convex
from exchange.engine.solver import SolverFailed
from exchange.engine.ticks import round_prices, supply_range

MIDDLE, LEAST, GREATEST = 0.5, 0.0, 1.0


def clear(book: Book, *, seconds: float | None = None) -> Clearing:
    """Find the allocation of greatest welfare, its prices, and the proof that goes with them."""
    return clear_audited(book, seconds=seconds)[0]


def clear_audited(book: Book, *, seconds: float | None = None) -> tuple[Clearing, Audit]:
    """Clear a book, and give what the judge found with it; the caller looks whether it is clean.

    Prices and lots are asked of the judge before they are given back; where whole lots break a
    promise at the prices of the rule, other prices that support the allocation are tried.
    """
    if not len(book.offers.names):
        idle = clear_idle(book)
        return idle, check(book, idle)
    deadline = deadline_in(seconds)
    convex = first_convex(lay_out_market(book))
    relaxed = convex.relax(deadline)
    best = choose_blocks(convex, relaxed, deadline)
    certificate = _certificate(convex.market, relaxed.duals)
    bound = prove_bound(book, certificate)
    first: tuple[Clearing, Audit] | None = None
    for prices, whole in _settlements(best):
        clearing = _compose(best, (prices, whole), (certificate, bound))
        audit = check(book, clearing)
        if audit.is_clean:
            return clearing, audit
        first = first or (clearing, audit)
    assert first is not None, "the prices of the rule are always there"
    return first


def _compose(
    best: Selection, settled: tuple[Prices, WholeFills], proof: tuple[CertificatePrices, int]
) -> Clearing:
    market, (prices, whole) = best.convex.market, settled
    bid_fills = list_bid_fills(market, whole.pieces, whole.lots, best.accepted)
    offer_fills = list_offer_fills(market, share_supply(market, whole.sold))
    return Clearing(
        complete=best.complete,
        welfare_micros=welfare_micros(market.book, bid_fills, offer_fills),
        bound_micros=proof[1],
        prices=prices,
        certificate=proof[0],
        bid_fills=bid_fills,
        offer_fills=offer_fills,
    )


def _settlements(best: Selection) -> Iterator[tuple[Prices, WholeFills]]:
    """Prices and whole lots, those of the rule first.

    Where whole lots leave a seller short, the price there is moved to the ask; then all prices to
    an end of their interval, where somebody is indifferent.
    """
    free = Pricing(best.convex, best.optimum, best.accepted)
    prices, whole, short = _settle_at(best, free, MIDDLE)
    yield prices, whole
    if short.any():
        with suppress(SolverFailed):  # These prices support nothing.
            pinned = Pricing(best.convex, best.optimum, best.accepted, short)
            yield _settle_at(best, pinned, MIDDLE)[:2]
    for share in (LEAST, GREATEST):
        with suppress(SolverFailed):
            yield _settle_at(best, free, share)[:2]


def _settle_at(best: Selection, pricing: Pricing, share: float) -> tuple[Prices, WholeFills, Flags]:
    """Prices, fills, and the cells whose sellers come up short."""
    market = best.convex.market
    duals = pricing.choose(share)
    flows = fill_margin(market, best.optimum, duals, best.accepted)
    prices = round_prices(market, duals)
    due = supply_range(market, prices)
    pieces = cut_pieces(market, flows, best.accepted)
    whole = round_pieces(market, pieces, best.accepted, (prices, cheapest_arcs(market, duals)))
    return prices, whole, whole.sold < due.least


def _certificate(market: Market, duals: Duals) -> CertificatePrices:
    cells = np.where(market.book.open_cells, duals.nodes[: len(market.network.pair_region)], 0.0)
    return CertificatePrices(
        cells=cells,
        links=duals.links,
        power=duals.power,
        domestic_share=duals.policy / 1_000,
    )
