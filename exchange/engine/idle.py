"""The clearing of a book in which nothing is for sale: nothing trades, and that is proved."""

from fractions import Fraction

import numpy as np

from exchange.engine.book import Book, Ints
from exchange.engine.bound import prove_bound
from exchange.engine.outcome import BidFills, CertificatePrices, Clearing, OfferFills, Prices


def clear_idle(book: Book) -> Clearing:
    """Return the empty clearing of a book without offers, all prices zero."""
    assert not len(book.offers.names), "what is for sale has a price"
    cells, links = book.open_cells.shape, book.link_gbps_micros.shape
    power = book.power_kw_micros.shape
    certificate = CertificatePrices(
        cells=np.zeros(cells), links=np.zeros(links), power=np.zeros(power), domestic_share=0.0
    )
    return Clearing(
        complete=True,
        welfare_micros=Fraction(0),
        bound_micros=prove_bound(book, certificate),
        prices=Prices(
            cells_ticks=np.zeros(cells, dtype=np.int64),
            links_ticks=np.zeros(links, dtype=np.int64),
            power_ticks=np.zeros(power, dtype=np.int64),
            domestic_share_nanos=0,
        ),
        certificate=certificate,
        bid_fills=BidFills(
            **dict.fromkeys(("bid", "site", "accelerator", "period", "route"), _nothing()),
            quantity_lots=_nothing(),
        ),
        offer_fills=OfferFills(offer=_nothing(), period=_nothing(), quantity_lots=_nothing()),
    )


def _nothing() -> Ints:
    return np.zeros(0, dtype=np.int64)
