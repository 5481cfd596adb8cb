"""The clearings of a book's parts as one clearing of the book."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from exchange.engine.book import Book, Ints
from exchange.engine.bound import prove_bound
from exchange.engine.components import Part
from exchange.engine.outcome import BidFills, CertificatePrices, Clearing, OfferFills, Prices

Cleared = Sequence[tuple[Part, Clearing]]


def merge(book: Book, cleared: Cleared) -> Clearing:
    """Lay the parts side by side; welfare adds up, and the bound is proved over the whole book.

    Cells of a region and period in no part have no offer, and limits there bind nobody.
    """
    cells = np.zeros(book.open_cells.shape, dtype=np.int64)
    links = np.zeros(book.link_gbps_micros.shape, dtype=np.int64)
    power = np.zeros(book.power_kw_micros.shape, dtype=np.int64)
    proof = CertificatePrices(
        cells=np.zeros(cells.shape),
        links=np.zeros(links.shape),
        power=np.zeros(power.shape),
        domestic_share=0.0,
    )
    for part, clearing in cleared:
        span = slice(part.first, part.first + part.book.periods)
        rows = _pairs(book, part.book)
        cells[rows, span] += clearing.prices.cells_ticks
        links[:, span] += clearing.prices.links_ticks
        power[:, span] += clearing.prices.power_ticks
        proof.cells[rows, span] += clearing.certificate.cells
        proof.links[:, span] += clearing.certificate.links
        proof.power[:, span] += clearing.certificate.power
    prices = Prices(cells_ticks=cells, links_ticks=links, power_ticks=power, domestic_share_nanos=0)
    return Clearing(
        complete=all(clearing.complete for _, clearing in cleared),
        welfare_micros=sum((one.welfare_micros for _, one in cleared), start=Fraction(0)),
        bound_micros=prove_bound(book, proof),
        prices=prices,
        certificate=proof,
        bid_fills=_bid_fills(cleared),
        offer_fills=_offer_fills(cleared),
    )


def _pairs(book: Book, part: Book) -> Ints:
    """The rows of the whole book's pairs that are a part's."""
    width = len(book.accelerators.names)
    keys, mine = (site * width + chip for site, chip in (book.pairs, part.pairs))
    return np.searchsorted(keys, mine)


def _bid_fills(cleared: Cleared) -> BidFills:
    columns = [
        (
            part.bids[fills.bid],
            fills.site,
            fills.accelerator,
            fills.period + part.first,
            fills.route,
            fills.quantity_lots,
        )
        for part, clearing in cleared
        for fills in (clearing.bid_fills,)
    ]
    bid, site, accelerator, period, route, lots = _sorted(columns, keys=5)
    return BidFills(
        bid=bid,
        site=site,
        accelerator=accelerator,
        period=period,
        route=route,
        quantity_lots=lots,
    )


def _offer_fills(cleared: Cleared) -> OfferFills:
    columns = [
        (part.offers[fills.offer], fills.period + part.first, fills.quantity_lots)
        for part, clearing in cleared
        for fills in (clearing.offer_fills,)
    ]
    offer, period, lots = _sorted(columns, keys=2)
    return OfferFills(offer=offer, period=period, quantity_lots=lots)


def _sorted(columns: Sequence[tuple[Ints, ...]], *, keys: int) -> list[Ints]:
    whole = [np.concatenate(some) for some in zip(*columns, strict=True)]
    order = np.lexsort(whole[:keys][::-1])
    return [column[order] for column in whole]
