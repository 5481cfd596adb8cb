"""A result as rows: prices, fills and answers, written by COPY."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

import numpy as np
from django.db import connection
from django.db.models import Q

from exchange.engine.book import Book, Ints, Names
from exchange.engine.layout import ENGINE_VERSION
from exchange.engine.outcome import Clearing
from exchange.models import (
    Accelerator,
    Auction,
    Bid,
    ClearingResult,
    Link,
    Offer,
    Region,
    Route,
    Site,
)
from exchange.queries.copying import copy_in
from exchange.queries.order_names import order_of
from exchange.services.answers import BidStory

MICRO_PLACES = Decimal("0.000001")
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A checked clearing with all that is written about it."""

    book: Book
    clearing: Clearing
    answers: dict[str, BidStory]
    rejected_winners: tuple[str, ...]
    welfare_micros: Fraction
    archive: str
    book_sha256: str
    result_sha256: str
    seconds: float


def write_result_rows(auction: Auction, result: Result) -> None:
    """Write everything a clearing gave, in the database transaction that is open."""
    _write_prices(auction, result)
    _write_fills(auction, result)
    book = result.book
    ClearingResult.objects.create(
        auction=auction,
        complete=result.clearing.complete,
        welfare_micros=decimal_micros(result.welfare_micros),
        bound_micros=result.clearing.bound_micros,
        domestic_share_nanos=result.clearing.prices.domestic_share_nanos,
        bids_count=len({order_of(name) for name in book.bids.names.tolist()}),
        offers_count=len({order_of(name) for name in book.offers.names.tolist()}),
        rejected_winners=list(result.rejected_winners),
        engine=ENGINE_VERSION,
        archive=result.archive,
        book_sha256=result.book_sha256,
        result_sha256=result.result_sha256,
        seconds=result.seconds,
    )


def analyze_results() -> None:
    """Let the planner know what COPY wrote: publication joins these tables before any vacuum."""
    tables = "exchange_bid, exchange_bidfill, exchange_offerfill, exchange_cellprice"
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}, exchange_bidanswer")


def decimal_micros(amount: Fraction) -> Decimal:
    """Return an exact amount in micro-units with six decimals, rounded down."""
    places = 10**6
    whole = amount.numerator * places // amount.denominator
    return Decimal(whole).scaleb(-6).quantize(MICRO_PLACES, rounding=ROUND_FLOOR)


def _write_prices(auction: Auction, result: Result) -> None:
    book, prices = result.book, result.clearing.prices
    sites, chips = _ids_of(Site, book.sites.names), _ids_of(Accelerator, book.accelerators.names)
    site, chip = book.pairs
    pair, period = np.nonzero(book.open_cells)
    columns = (sites[site[pair]], chips[chip[pair]], period, prices.cells_ticks[pair, period])
    copy_in(
        "exchange_cellprice",
        ("auction_id", "site_id", "accelerator_id", "period", "price_ticks"),
        _rows(auction.pk, columns),
    )
    for table, column, ids, ticks in (
        ("exchange_linkprice", "link_id", _ids_of(Link, book.links), prices.links_ticks),
        ("exchange_powerprice", "region_id", _ids_of(Region, book.regions), prices.power_ticks),
    ):
        row, period = np.nonzero(ticks)
        copy_in(
            table,
            ("auction_id", column, "period", "price_ticks"),
            _rows(auction.pk, (ids[row], period, ticks[row, period])),
        )


def _write_fills(auction: Auction, result: Result) -> None:
    book, fills, sold = result.book, result.clearing.bid_fills, result.clearing.offer_fills
    bid_ids = Bid.objects.filter(answered_in(auction))
    bids = dict(bid_ids.values_list("public_id", "pk"))
    offers = dict(
        Offer.objects.filter(versions__entries__auction=auction).values_list("public_id", "pk")
    )
    bid_of = np.array([bids[order_of(name)] for name in book.bids.names.tolist()], dtype=np.int64)
    offer_of = np.array(
        [offers[order_of(name)] for name in book.offers.names.tolist()], dtype=np.int64
    )
    sites, chips = _ids_of(Site, book.sites.names), _ids_of(Accelerator, book.accelerators.names)
    routes = _ids_of(Route, book.routes.names)
    columns = (
        bid_of[fills.bid],
        sites[fills.site],
        chips[fills.accelerator],
        routes[fills.route],
        fills.period,
        fills.quantity_lots,
    )
    copy_in(
        "exchange_bidfill",
        (
            "auction_id",
            *("bid_id", "site_id", "accelerator_id", "route_id", "period", "quantity_lots"),
            *("starts_at", "ends_at"),
        ),
        _timed(auction, _rows(auction.pk, columns), fills.period),
    )
    copy_in(
        "exchange_offerfill",
        ("auction_id", "offer_id", "period", "quantity_lots", "starts_at", "ends_at"),
        _timed(
            auction,
            _rows(auction.pk, (offer_of[sold.offer], sold.period, sold.quantity_lots)),
            sold.period,
        ),
    )
    copy_in(
        "exchange_bidanswer",
        ("auction_id", "bid_id", "answer", "detail", "filled_lot_minutes", "cheapest_micros"),
        (
            (
                auction.pk,
                bids[order],
                story.answer.value,
                story.detail,
                story.filled_lot_minutes,
                story.cheapest_micros,
            )
            for order, story in result.answers.items()
        ),
    )


def answered_in(auction: Auction) -> Q:
    """Return the condition for the bids of an auction's book."""
    return Q(auction=auction) | Q(entries__auction=auction)


def _rows(auction_id: int, columns: tuple[Ints, ...]) -> Iterator[Row]:
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield (auction_id, *row)


def _timed(auction: Auction, rows: Iterator[Row], period: Ints) -> Iterator[Row]:
    """Add the times of the periods to rows."""
    for row, number in zip(rows, period.tolist(), strict=True):
        at = auction.period(number)
        yield (*row, at.start, at.end)


def _ids_of(model: type[Site | Accelerator | Link | Region | Route], codes: Names) -> Ints:
    """Return the numbers of catalogue rows by their codes, in the order of ``codes``."""
    ids = dict(model._default_manager.filter(code__in=codes.tolist()).values_list("code", "pk"))
    return np.array([ids[code] for code in codes.tolist()], dtype=np.int64)
