"""Clear a book: the one public verb of the engine."""

import numpy as np

from exchange.engine.book import Book
from exchange.engine.bound import prove_bound
from exchange.engine.convex import Convex
from exchange.engine.idle import clear_idle
from exchange.engine.margin import fill_margin
from exchange.engine.market import Duals, Market, lay_out_market
from exchange.engine.outcome import CertificatePrices, Clearing
from exchange.engine.pieces import cut_pieces
from exchange.engine.pricing import Pricing
from exchange.engine.result import list_bid_fills, list_offer_fills, welfare_micros
from exchange.engine.rounding import round_pieces, share_supply
from exchange.engine.search import choose_blocks
from exchange.engine.ticks import round_prices, supply_range


def clear(book: Book, *, seconds: float | None = None) -> Clearing:
    """Find the allocation of greatest welfare, its prices, and the proof that goes with them."""
    if not len(book.offers.names):
        return clear_idle(book)
    market = lay_out_market(book)
    convex = Convex(market)
    relaxed = convex.relax()
    best = choose_blocks(convex, relaxed, seconds=seconds)
    accepted, market = best.accepted, best.convex.market
    duals = Pricing(best.convex, best.optimum, accepted).choose()
    flows = fill_margin(market, best.optimum, duals, accepted)
    prices = round_prices(market, duals)
    pieces = cut_pieces(market, flows, accepted)
    whole = round_pieces(market, pieces, accepted, supply_range(market, prices))
    bid_fills = list_bid_fills(market, pieces, whole.lots, accepted)
    offer_fills = list_offer_fills(market, share_supply(market, whole.sold))
    certificate = _certificate(market, relaxed.duals)
    return Clearing(
        complete=True,
        welfare_micros=welfare_micros(book, bid_fills, offer_fills),
        bound_micros=prove_bound(book, certificate),
        prices=prices,
        certificate=certificate,
        bid_fills=bid_fills,
        offer_fills=offer_fills,
    )


def _certificate(market: Market, duals: Duals) -> CertificatePrices:
    cells = np.where(market.book.open_cells, duals.nodes[: len(market.network.pair_region)], 0.0)
    return CertificatePrices(
        cells=cells,
        links=duals.links,
        power=duals.power,
        domestic_share=duals.policy / 1_000,
    )
