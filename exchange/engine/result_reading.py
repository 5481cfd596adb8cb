"""A result folder read back, every fault refused with its place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np

from exchange.engine import layout
from exchange.engine.book import MICROS, Book, Floats, Ints
from exchange.engine.book_files import book_sha256, parse_json, read_bytes
from exchange.engine.csv_text import Bytes, parse_csv
from exchange.engine.names import to_column
from exchange.engine.outcome import (
    NANOS,
    BidFills,
    CertificatePrices,
    Clearing,
    OfferFills,
    Prices,
)
from exchange.engine.problems import PER_CHECK_MAX, Problems, ResultRefused
from exchange.engine.reading_network import is_repeated, read_period
from exchange.engine.result_writing import gap_text
from exchange.engine.sheet import Sheet

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_FLOAT = re.compile(rb"-?[0-9]{1,400}(\.[0-9]{1,400})?")


def read_result(book: Book, folder: Path) -> Clearing:
    """Read the clearing of a book from its result folder.

    :raises ResultRefused: with file, row and column of every problem; also if it is the result of
        another book
    """
    problems = Problems(ResultRefused)
    if not folder.is_dir():
        problems.add("folder_missing", str(folder), 0, detail="there is no such folder")
    problems.raise_any()
    summary = _read_fields(folder, layout.RESULT_FILE, layout.RESULT_FIELDS, problems)
    proof = _read_fields(folder, layout.CERTIFICATE_FILE, layout.CERTIFICATE_FIELDS, problems)
    sheets = _read_sheets(folder, problems)
    problems.raise_any()
    head = _Summary(summary, proof, problems)
    head.check(book)
    tables = _Tables(book, sheets)
    clearing = Clearing(
        complete=summary["complete"] is True,
        welfare_micros=head.number(layout.RESULT_FILE, "welfare") * MICROS,
        bound_micros=int(head.number(layout.RESULT_FILE, "bound") * MICROS),
        prices=Prices(
            cells_ticks=tables.cell_prices(),
            links_ticks=tables.limit_prices("link_prices.csv", "link", to_column(book.links)),
            power_ticks=tables.limit_prices("power_prices.csv", "region", to_column(book.regions)),
            domestic_share_nanos=int(
                head.number(layout.RESULT_FILE, "domestic_share_price") * NANOS
            ),
        ),
        certificate=CertificatePrices(
            cells=tables.proof_cells(),
            links=tables.proof_limits("link_prices.csv", "link", to_column(book.links)),
            power=tables.proof_limits("power_prices.csv", "region", to_column(book.regions)),
            domestic_share=float(head.number(layout.CERTIFICATE_FILE, "domestic_share_price")),
        ),
        bid_fills=tables.bid_fills(),
        offer_fills=tables.offer_fills(),
    )
    problems.raise_any()
    return clearing


def _read_fields(
    folder: Path, file: str, names: tuple[str, ...], problems: Problems
) -> Mapping[str, object]:
    text = read_bytes(folder, file, problems)
    if text is None:
        return {}
    before = len(problems.found)
    fields = parse_json(text, file, problems)
    if len(problems.found) > before:
        return {}
    for name in names:
        if name not in fields:
            problems.add("field_missing", file, 0, name, detail=f"there is no field {name!r}")
    for name in fields:
        if name not in names:
            problems.add("field_unknown", file, 0, name, detail=f"{name[:40]!r} is not a field")
    return fields


def _read_sheets(folder: Path, problems: Problems) -> dict[str, Sheet]:
    sheets = {}
    for file, columns in layout.RESULT_TABLES.items():
        text = read_bytes(folder, file, problems)
        table = None if text is None else parse_csv(text, file, columns, problems)
        if table is not None:
            sheets[file] = Sheet(file, table, problems)
    return sheets


@dataclass(frozen=True, slots=True)
class _Summary:
    """``result.json`` and ``certificate.json``, as they stand."""

    fields: Mapping[str, object]
    proof: Mapping[str, object]
    problems: Problems

    def check(self, book: Book) -> None:
        """Check the fields that are not numbers of the clearing itself."""
        file = layout.RESULT_FILE
        if self.fields["format"] != layout.CLEARING_FORMAT:
            self._refuse("format_unknown", file, "format", f"must be {layout.CLEARING_FORMAT!r}")
        if not isinstance(self.fields["complete"], bool):
            self._refuse("field_type_wrong", file, "complete", "must be true or false")
        if not isinstance(self.fields["engine"], str):
            self._refuse("field_type_wrong", file, "engine", "must be a string")
        if self.fields["book_sha256"] != book_sha256(book):
            self._refuse("book_differs", file, "book_sha256", "the result of another book")
        welfare, bound = self.number(file, "welfare") * MICROS, self.number(file, "bound") * MICROS
        self._check_places(welfare, "welfare")
        self._check_places(bound, "bound")
        self._check_places(
            self.number(file, "domestic_share_price") * NANOS, "domestic_share_price"
        )
        if self.number(layout.CERTIFICATE_FILE, "bound") * MICROS != bound:
            detail = "not the bound of result.json"
            self._refuse("bound_differs", layout.CERTIFICATE_FILE, "bound", detail)
        if self.fields["gap"] != gap_text(int(welfare), int(bound)):
            self._refuse("gap_wrong", file, "gap", "not (bound - welfare) / bound, rounded up")

    def number(self, file: str, name: str) -> Fraction:
        """Give a decimal string as an exact number; 0 where it is refused."""
        value = (self.proof if file == layout.CERTIFICATE_FILE else self.fields)[name]
        if isinstance(value, str) and _DECIMAL.fullmatch(value):
            return Fraction(Decimal(value))
        self._refuse("field_malformed", file, name, "must be a decimal string")
        return Fraction(0)

    def _check_places(self, value: Fraction, name: str) -> None:
        if value.denominator != 1:
            self._refuse("field_too_fine", layout.RESULT_FILE, name, "too many decimals")

    def _refuse(self, code: str, file: str, field: str, detail: str) -> None:
        problem = (code, file, field)
        if problem not in {(one.code, one.file, one.column) for one in self.problems.found}:
            self.problems.add(code, file, 0, field, detail=detail)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The CSV files of a result, laid on the arrays of its book."""

    book: Book
    sheets: Mapping[str, Sheet]

    def cell_prices(self) -> Ints:
        """Give (pairs, periods) prices in ticks."""
        sheet = self.sheets["prices.csv"]
        pair, period = self._cells(sheet)
        prices = np.zeros(self.book.open_cells.shape, dtype=np.int64)
        if len(pair):
            prices[pair, period] = _read_ticks(sheet, -layout.CELL_TICKS_MAX, layout.CELL_TICKS_MAX)
        return prices

    def proof_cells(self) -> Floats:
        """Give (pairs, periods) certificate prices."""
        sheet = self.sheets["certificate/prices.csv"]
        pair, period = self._cells(sheet)
        prices = np.zeros(self.book.open_cells.shape)
        if len(pair):
            prices[pair, period] = _read_floats(sheet)
        return prices

    def limit_prices(self, file: str, word: str, names: Bytes) -> Ints:
        """Give (names, periods) prices in ticks; 0 where there is no row."""
        row, period, sheet = self._limits(file, word, names)
        prices = np.zeros((len(names), self.book.periods), dtype=np.int64)
        if len(names):
            prices[row, period] = _read_ticks(sheet, 0, layout.RENT_TICKS_MAX)
        return prices

    def proof_limits(self, file: str, word: str, names: Bytes) -> Floats:
        """Give (names, periods) certificate prices; 0 where there is no row."""
        row, period, sheet = self._limits(f"certificate/{file}", word, names)
        prices = np.zeros((len(names), self.book.periods))
        if len(names):
            prices[row, period] = _read_floats(sheet)
        return prices

    def bid_fills(self) -> BidFills:
        """Give what bids got, sorted by key."""
        book, sheet = self.book, self.sheets["bid_fills.csv"]
        keys = (
            sheet.reference("bid", to_column(book.bids.names), "bid_unknown"),
            sheet.reference("site", to_column(book.sites.names), "site_unknown"),
            sheet.reference(
                "accelerator", to_column(book.accelerators.names), "accelerator_unknown"
            ),
            read_period(sheet, "period", book.periods, empty=None),
            sheet.reference("route", to_column(book.routes.names), "route_unknown"),
        )
        lots = _read_lots(sheet)
        sheet.refuse("fill_repeated", is_repeated(*keys), "bid", "the same key stands above")
        order = np.lexsort(keys[::-1])
        bid, site, accelerator, period, route = (key[order] for key in keys)
        return BidFills(
            bid=bid,
            site=site,
            accelerator=accelerator,
            period=period,
            route=route,
            quantity_lots=lots[order],
        )

    def offer_fills(self) -> OfferFills:
        """Give what offers sold, sorted by key."""
        book, sheet = self.book, self.sheets["offer_fills.csv"]
        offer = sheet.reference("offer", to_column(book.offers.names), "offer_unknown")
        period = read_period(sheet, "period", book.periods, empty=None)
        lots = _read_lots(sheet)
        again = is_repeated(offer, period)
        sheet.refuse("fill_repeated", again, "offer", "the same key stands above")
        order = np.lexsort((period, offer))
        return OfferFills(offer=offer[order], period=period[order], quantity_lots=lots[order])

    def _cells(self, sheet: Sheet) -> tuple[Ints, Ints]:
        """Read which cell each row is about; every open cell must have one row."""
        book = self.book
        sites, chips = to_column(book.sites.names), to_column(book.accelerators.names)
        site = sheet.reference("site", sites, "site_unknown")
        chip = sheet.reference("accelerator", chips, "accelerator_unknown")
        period = read_period(sheet, "period", book.periods, empty=None)
        width = len(book.accelerators.names)
        known = np.append(book.pairs[0] * width + book.pairs[1], -1)
        pair = np.minimum(np.searchsorted(known[:-1], site * width + chip), len(known) - 1)
        is_open = np.zeros((len(known), book.periods), dtype=np.bool_)
        is_open[:-1] = book.open_cells
        offered = (known[pair] == site * width + chip) & is_open[pair, period]
        sheet.refuse("cell_without_offer", ~offered, "site", "nothing is offered in this cell")
        sheet.refuse("cell_repeated", is_repeated(pair, period), "site", "the cell stands above")
        missing = is_open.copy()
        missing[pair, period] = False
        if missing.any() and not sheet.bad.any():
            detail = f"{int(missing.sum())} cells with an offer have no price"
            sheet.problems.add("price_missing", sheet.file, 0, "price", detail=detail)
        return (pair, period) if offered.all() else (pair[:0], period[:0])

    def _limits(self, file: str, word: str, names: Bytes) -> tuple[Ints, Ints, Sheet]:
        sheet = self.sheets[file]
        row = sheet.reference(word, names, f"{word}_unknown")
        period = read_period(sheet, "period", self.book.periods, empty=None)
        again = is_repeated(row, period)
        sheet.refuse("price_repeated", again, "period", "the same key stands above")
        return row, period, sheet


def _read_ticks(sheet: Sheet, least: int, most: int) -> Ints:
    places = layout.TICK_PLACES
    return sheet.number("price", places=places, most=most, fine="price_off_tick", least=least)


def _read_lots(sheet: Sheet) -> Ints:
    most, places = layout.FILL_LOTS_MAX, layout.LOT_PLACES
    lots = sheet.number("quantity", places=places, most=most, fine="quantity_off_lot")
    sheet.refuse("quantity_not_positive", lots == 0, "quantity", "must be above 0")
    return lots


def _read_floats(sheet: Sheet) -> Floats:
    texts = sheet.text("price").tolist()
    bad = np.array([not _FLOAT.fullmatch(text) for text in texts], dtype=np.bool_)
    for row in np.flatnonzero(bad)[:PER_CHECK_MAX]:
        here = np.arange(sheet.rows) == row
        sheet.refuse("number_malformed", here, "price", "must be a decimal")
    return np.array([0.0 if wrong else float(text) for text, wrong in zip(texts, bad, strict=True)])
