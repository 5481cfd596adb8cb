"""Clearings written by hand, by name, for books whose right answer anyone can check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from exchange.engine.audit import exact_welfare
from exchange.engine.audit_case import Case, Failures
from exchange.engine.book import Book, Names
from exchange.engine.bound import prove_bound
from exchange.engine.layout import BOOK_TABLES
from exchange.engine.outcome import BidFills, CertificatePrices, Clearing, OfferFills, Prices
from tests.engine.shelf import HEAD
from tests.engine.strategies import Draft

BidFill = tuple[str, str, str, int, str, str]  # bid, site, accelerator, period, route, quantity
OfferFill = tuple[str, int, str]  # offer, period, quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A clearing by name; prices in currency, quantities in accelerators."""

    cells: Mapping[tuple[str, str, int], str]
    bids: Sequence[BidFill]
    offers: Sequence[OfferFill]
    links: Mapping[tuple[str, int], str] | None = None
    power: Mapping[tuple[str, int], str] | None = None
    share: str = "0"

    def less(self, *gone: tuple[object, ...]) -> "Answer":
        """Leave out some fills."""
        bids = [fill for fill in self.bids if fill not in gone]
        return replace(self, bids=bids, offers=[fill for fill in self.offers if fill not in gone])

    def plus(self, *more: tuple[object, ...]) -> "Answer":
        """Add some fills (a bid's has six parts, an offer's three)."""
        bids = [*self.bids, *(fill for fill in more if len(fill) == 6)]
        offers = [*self.offers, *(fill for fill in more if len(fill) == 3)]
        return replace(self, bids=bids, offers=offers)  # type: ignore[arg-type]

    def priced(self, **prices: object) -> "Answer":
        """Change some prices."""
        merged = {
            name: {**(getattr(self, name) or {}), **value} if isinstance(value, dict) else value
            for name, value in prices.items()
        }
        return replace(self, **merged)  # type: ignore[arg-type]


def make_book(head: Mapping[str, object], **tables: Sequence[str]) -> Book:
    """Read a book from lines, by table name without ``.csv``; the head's rest is the shelf's."""
    rows = {
        f"{name}.csv": [tuple(line.split(",")) for line in lines] for name, lines in tables.items()
    }
    assert set(rows) <= set(BOOK_TABLES)
    return Draft({**HEAD, "min_domestic_share": None, **head}, rows).book()


def make_clearing(book: Book, answer: Answer) -> Clearing:
    """Lay an answer on a book's arrays, with the welfare and bound that belong to it."""
    prices = Prices(
        cells_ticks=_cells(book, answer.cells),
        links_ticks=_limits(book.links, book.periods, answer.links),
        power_ticks=_limits(book.regions, book.periods, answer.power),
        domestic_share_nanos=int(Fraction(answer.share) * 10**9),
    )
    certificate = CertificatePrices(
        cells=prices.cells_ticks / 1_000,
        links=prices.links_ticks / 1_000,
        power=prices.power_ticks / 1_000,
        domestic_share=prices.domestic_share_nanos / 10**9,
    )
    clearing = Clearing(
        complete=True,
        welfare_micros=Fraction(0),
        bound_micros=0,
        prices=prices,
        certificate=certificate,
        bid_fills=_bid_fills(book, answer.bids),
        offer_fills=_offer_fills(book, answer.offers),
    )
    case = Case(book, clearing, Failures())
    return replace(
        clearing,
        welfare_micros=exact_welfare(case),
        bound_micros=prove_bound(book, certificate),
    )


def _row(names: Names, name: str) -> int:
    [row] = np.flatnonzero(names == name).tolist()
    return int(row)


def _whole(value: str) -> int:
    scaled = Fraction(value) * 1_000
    assert scaled.denominator == 1
    return int(scaled)


def _cells(book: Book, prices: Mapping[tuple[str, str, int], str]) -> np.ndarray:
    ticks = np.zeros(book.open_cells.shape, dtype=np.int64)
    for (site, chip, period), price in prices.items():
        key = (_row(book.sites.names, site), _row(book.accelerators.names, chip))
        [pair] = [row for row, pair in enumerate(zip(*book.pairs, strict=True)) if pair == key]
        ticks[pair, period] = _whole(price)
    return ticks


def _limits(names: Names, periods: int, prices: Mapping[tuple[str, int], str] | None) -> np.ndarray:
    ticks = np.zeros((len(names), periods), dtype=np.int64)
    for (name, period), price in (prices or {}).items():
        ticks[_row(names, name), period] = _whole(price)
    return ticks


def _bid_fills(book: Book, fills: Sequence[BidFill]) -> BidFills:
    rows = sorted(
        (
            _row(book.bids.names, bid),
            _row(book.sites.names, site),
            _row(book.accelerators.names, chip),
            period,
            _row(book.routes.names, route),
            _whole(quantity),
        )
        for bid, site, chip, period, route, quantity in fills
    )
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return BidFills(
        bid=columns[0],
        site=columns[1],
        accelerator=columns[2],
        period=columns[3],
        route=columns[4],
        quantity_lots=columns[5],
    )


def _offer_fills(book: Book, fills: Sequence[OfferFill]) -> OfferFills:
    rows = sorted((_row(book.offers.names, offer), at, _whole(lots)) for offer, at, lots in fills)
    columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return OfferFills(offer=columns[0], period=columns[1], quantity_lots=columns[2])
