"""Clear a book: the one public verb of the engine."""

import time
from contextlib import suppress

import numpy as np

from exchange.engine.book import Book, Flags
from exchange.engine.bound import prove_bound
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
    if not len(book.offers.names):
        return clear_idle(book)
    deadline = None if seconds is None else time.monotonic() + seconds
    convex = first_convex(lay_out_market(book))
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
    """Prices and whole lots that agree.

    Where whole lots leave somebody short at the middle price, the price of sellers that are short
    is moved to their ask; if that cannot be, all prices to an end of their interval, where
    somebody is indifferent.
    """
    nowhere = np.zeros_like(best.convex.market.book.open_cells)
    free = Pricing(best.convex, best.optimum, best.accepted, nowhere)
    tried = [_settle_at(best, free, MIDDLE)]
    short = tried[0][2]
    for share in (MIDDLE, LEAST, GREATEST):
        if tried[-1][1].settled:
            break
        with suppress(SolverFailed):  # These prices support nothing.
            if share != MIDDLE:
                tried.append(_settle_at(best, free, share))
            elif short.any():
                pinned = Pricing(best.convex, best.optimum, best.accepted, short)
                tried.append(_settle_at(best, pinned, share))
    prices, whole, _ = next((one for one in tried if one[1].settled), tried[0])
    return prices, whole


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
