"""Clear a book: the one public verb of the engine."""

import time

import numpy as np

from exchange.engine.book import Book
from exchange.engine.bound import prove_bound
from exchange.engine.convex import Convex
from exchange.engine.idle import clear_idle
from exchange.engine.margin import cheapest_arcs, fill_margin
from exchange.engine.market import Duals, Market, lay_out_market
from exchange.engine.no_loss import Selection
from exchange.engine.outcome import CertificatePrices, Clearing, Prices
from exchange.engine.pieces import cut_pieces
from exchange.engine.pricing import Pricing
from exchange.engine.result import list_bid_fills, list_offer_fills, welfare_micros
from exchange.engine.rounding import WholeFills, round_pieces, share_supply
from exchange.engine.search import choose_blocks
from exchange.engine.solver import SolverFailed
from exchange.engine.ticks import round_prices, supply_range


PINS_MAX = 3  # Times that prices are moved for sellers whom whole lots leave short.


def clear(book: Book, *, seconds: float | None = None) -> Clearing:
    """Find the allocation of greatest welfare, its prices, and the proof that goes with them."""
    deadline = None if seconds is None else time.monotonic() + seconds
    convex = Convex(lay_out_market(book))
    relaxed = convex.relax()
    best = choose_blocks(convex, relaxed, deadline)
    market = best.convex.market
    prices, whole = _settle(best)
    bid_fills = list_bid_fills(market, whole.pieces, whole.lots, best.accepted)
    offer_fills = list_offer_fills(market, share_supply(market, whole.sold))
    certificate = _certificate(convex.market, relaxed.duals)
    return Clearing(
        complete=best.complete,
        welfare_micros=welfare_micros(book, bid_fills, offer_fills),
        bound_micros=prove_bound(book, certificate),
        prices=prices,
        certificate=certificate,
        bid_fills=bid_fills,
        offer_fills=offer_fills,
    )


def _settle(best: Selection) -> tuple[Prices, WholeFills]:
    """Prices and whole lots that agree; cells whose sellers come up short are priced at an ask."""
    market = best.convex.market
    pinned = np.zeros(market.book.open_cells.shape, dtype=np.bool_)
    settled: tuple[Prices, WholeFills] | None = None
    for _ in range(PINS_MAX):
        try:
            duals = Pricing(best.convex, best.optimum, best.accepted, pinned).choose()
        except SolverFailed:
            if settled is None:
                raise
            break  # The prices cannot be moved; a lot is left over.
        flows = fill_margin(market, best.optimum, duals, best.accepted)
        prices = round_prices(market, duals)
        due = supply_range(market, prices)
        pieces = cut_pieces(market, flows, best.accepted)
        cheap = cheapest_arcs(market, duals)
        whole = round_pieces(market, pieces, best.accepted, (due, cheap))
        settled = prices, whole
        if whole.settled:
            break
        pinned |= whole.sold < due.least
    assert settled is not None
    return settled


def _certificate(market: Market, duals: Duals) -> CertificatePrices:
    cells = np.where(market.book.open_cells, duals.nodes[: len(market.network.pair_region)], 0.0)
    return CertificatePrices(
        cells=cells,
        links=duals.links,
        power=duals.power,
        domestic_share=duals.policy / 1_000,
    )
