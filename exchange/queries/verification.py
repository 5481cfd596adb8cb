"""Does an auction's archive keep the market's promises, and does the database say the same?

An auditor's check: from the files alone, then row by row against the tables.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from exchange.engine.audit import check
from exchange.engine.book import Book
from exchange.engine.files import FolderRefused, book_sha256, read_book, read_result
from exchange.engine.outcome import Clearing
from exchange.engine.result_writing import result_texts
from exchange.models import BidFill, CellPrice, ClearingResult, LinkPrice, OfferFill, PowerPrice
from exchange.queries.archive_files import BOOK_FOLDER, RESULT_FOLDER, folders_of
from exchange.queries.file_hashes import texts_sha256
from exchange.queries.order_names import order_of

Rows = Counter[tuple[Any, ...]]
SHOWN_MAX = 5


def problems_of(result: ClearingResult) -> list[str]:
    """Return everything that is wrong with an auction's archive and rows; nothing if all holds."""
    folders = folders_of(result)
    try:
        book, clearing = _read(folders[BOOK_FOLDER], folders[RESULT_FOLDER])
    except FolderRefused as refusal:
        return [str(problem) for problem in refusal.problems]
    found = list(_hash_problems(result, book, clearing))
    found += [str(failure) for failure in check(book, clearing).failures]
    found += list(_head_problems(result, clearing))
    for name, stored, archived in _tables(result, book, clearing):
        found += _differences(name, stored, archived)
    return found


def _read(book_folder: Path, result_folder: Path) -> tuple[Book, Clearing]:
    book = read_book(book_folder)
    return book, read_result(book, result_folder)


def _hash_problems(result: ClearingResult, book: Book, clearing: Clearing) -> Iterator[str]:
    if book_sha256(book) != result.book_sha256:
        yield "the archived book is not the one that was cleared: its hash differs"
    if texts_sha256(result_texts(book, clearing)) != result.result_sha256:
        yield "the archived result is not the one that was written: its hash differs"


def _head_problems(result: ClearingResult, clearing: Clearing) -> Iterator[str]:
    if result.bound_micros != clearing.bound_micros:
        yield f"the bound is {result.bound_micros} here and {clearing.bound_micros} in the archive"
    if abs(result.welfare_micros - int(clearing.welfare_micros)) >= 1:
        yield "the welfare is not the archive's"
    if result.domestic_share_nanos != clearing.prices.domestic_share_nanos:
        yield "the price of the domestic share is not the archive's"


def _tables(
    result: ClearingResult, book: Book, clearing: Clearing
) -> Iterator[tuple[str, Rows, Rows]]:
    auction, prices = result.auction_id, clearing.prices
    cells = CellPrice.objects.filter(auction=auction)
    names = ("site__code", "accelerator__code", "period", "price_ticks")
    yield "cell price", _rows(cells, *names), _archived_cells(book, clearing)
    links = LinkPrice.objects.filter(auction=auction)
    archived = _archived_limits(book.links, prices.links_ticks)
    yield "link price", _rows(links, "link__code", "period", "price_ticks"), archived
    power = PowerPrice.objects.filter(auction=auction)
    archived = _archived_limits(book.regions, prices.power_ticks)
    yield "power price", _rows(power, "region__code", "period", "price_ticks"), archived
    order = ("bid__public_id", "site__code", "accelerator__code", "route__code")
    fills = _rows(BidFill.objects.filter(auction=auction), *order, "period", "quantity_lots")
    yield "bid fill", fills, _archived_bids(book, clearing)
    sold = OfferFill.objects.filter(auction=auction)
    stored = _rows(sold, "offer__public_id", "period", "quantity_lots")
    yield "offer fill", stored, _archived_offers(book, clearing)


def _rows(rows: Any, *names: str) -> Rows:
    return Counter(rows.values_list(*names))


def _archived_cells(book: Book, clearing: Clearing) -> Rows:
    site, chip = book.pairs
    pair, period = np.nonzero(book.open_cells)
    return _zipped(
        book.sites.names[site[pair]],
        book.accelerators.names[chip[pair]],
        period,
        clearing.prices.cells_ticks[pair, period],
    )


def _archived_limits(names: Any, ticks: Any) -> Rows:
    row, period = np.nonzero(ticks)
    return _zipped(names[row], period, ticks[row, period])


def _archived_bids(book: Book, clearing: Clearing) -> Rows:
    fills = clearing.bid_fills
    orders = np.array([order_of(name) for name in book.bids.names.tolist()], dtype=np.str_)
    return _zipped(
        orders[fills.bid],
        book.sites.names[fills.site],
        book.accelerators.names[fills.accelerator],
        book.routes.names[fills.route],
        fills.period,
        fills.quantity_lots,
    )


def _archived_offers(book: Book, clearing: Clearing) -> Rows:
    sold = clearing.offer_fills
    orders = np.array([order_of(name) for name in book.offers.names.tolist()], dtype=np.str_)
    return _zipped(orders[sold.offer], sold.period, sold.quantity_lots)


def _zipped(*columns: Any) -> Rows:
    return Counter(zip(*(column.tolist() for column in columns), strict=True))


def _differences(name: str, stored: Rows, archived: Rows) -> list[str]:
    extra, missing = list(stored - archived), list(archived - stored)
    found = [f"{name} {row} is not in the archive" for row in extra[:SHOWN_MAX]]
    return found + [f"{name} {row} is only in the archive" for row in missing[:SHOWN_MAX]]
