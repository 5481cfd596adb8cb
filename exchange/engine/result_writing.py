"""A clearing on disk, ``compute-clearing/1``: rows by key, fixed formats, the same bytes always."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from exchange.engine import layout
from exchange.engine.book import Book, Floats, Ints, Names
from exchange.engine.book_files import book_sha256
from exchange.engine.csv_text import Bytes, format_csv
from exchange.engine.decimals import decimal_text, format_decimals, format_normal
from exchange.engine.names import to_column
from exchange.engine.outcome import Clearing

_Prices = TypeVar("_Prices", Ints, Floats)


def write_result(
    book: Book, clearing: Clearing, folder: Path, *, timing: Mapping[str, float] | None = None
) -> None:
    """Write a clearing into a folder, all of it or nothing; an older result there is replaced.

    ``timing`` (seconds by step) goes to ``timing.json``, which nobody compares.

    :raises FileExistsError: if the folder holds anything that is not a result
    """
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        for file, text in result_texts(book, clearing):
            path = fresh / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        if timing is not None:
            (fresh / layout.TIMING_FILE).write_bytes(_json(dict(timing)))
        if folder.exists():
            folder.rename(Path(scratch) / "stale")
        fresh.rename(folder)


def result_texts(book: Book, clearing: Clearing) -> Iterator[tuple[str, bytes]]:
    """Give each file's path in the folder and its bytes."""
    yield layout.RESULT_FILE, _json(_summary(book, clearing))
    for file, table in _tables(book, clearing):
        assert tuple(table) == layout.RESULT_TABLES[file]
        yield file, format_csv(table)
    certificate = {
        "domestic_share_price": float_text(clearing.certificate.domestic_share),
        "bound": decimal_text(clearing.bound_micros, layout.MICRO_PLACES),
    }
    yield layout.CERTIFICATE_FILE, _json(certificate)


def float_text(value: float) -> str:
    """Write a float as the shortest decimal that reads back the same, without an exponent."""
    text = repr(value)
    return np.format_float_positional(value, trim="0") if "e" in text else text


def gap_text(welfare_micros: int, bound_micros: int) -> str:
    """Write ``(bound - welfare) / bound`` rounded up; 0 where there is nothing to gain."""
    scale = 10**layout.GAP_PLACES
    gap = -((welfare_micros - bound_micros) * scale // bound_micros) if bound_micros > 0 else 0
    return decimal_text(gap, layout.GAP_PLACES)


def _summary(book: Book, clearing: Clearing) -> dict[str, object]:
    welfare = clearing.welfare_micros.numerator // clearing.welfare_micros.denominator
    share = clearing.prices.domestic_share_nanos
    return {
        "format": layout.CLEARING_FORMAT,
        "complete": clearing.complete,
        "welfare": decimal_text(welfare, layout.MICRO_PLACES),
        "bound": decimal_text(clearing.bound_micros, layout.MICRO_PLACES),
        "gap": gap_text(welfare, clearing.bound_micros),
        "domestic_share_price": decimal_text(share, layout.SHARE_PLACES),
        "engine": layout.ENGINE_VERSION,
        "book_sha256": book_sha256(book),
    }


def _tables(book: Book, clearing: Clearing) -> Iterator[tuple[str, Mapping[str, Bytes]]]:
    prices, proof, cells = clearing.prices, clearing.certificate, book.open_cells
    yield "prices.csv", _cell_table(book, _ticks(prices.cells_ticks[cells]))
    yield "link_prices.csv", _limit_table("link", book.links, prices.links_ticks, _ticks)
    yield "power_prices.csv", _limit_table("region", book.regions, prices.power_ticks, _ticks)
    yield "bid_fills.csv", _bid_fills(book, clearing)
    yield "offer_fills.csv", _offer_fills(book, clearing)
    yield "certificate/prices.csv", _cell_table(book, _floats(proof.cells[cells]))
    yield "certificate/link_prices.csv", _limit_table("link", book.links, proof.links, _floats)
    yield "certificate/power_prices.csv", _limit_table("region", book.regions, proof.power, _floats)


def _cell_table(book: Book, prices: Bytes) -> Mapping[str, Bytes]:
    pair, period = np.nonzero(book.open_cells)
    site, chip = book.pairs
    return {
        "site": to_column(book.sites.names)[site[pair]],
        "accelerator": to_column(book.accelerators.names)[chip[pair]],
        "period": format_normal(period, 0),
        "price": prices,
    }


def _limit_table(
    word: str, names: Names, prices: _Prices, texts: Callable[[_Prices], Bytes]
) -> Mapping[str, Bytes]:
    row, period = np.nonzero(prices)
    return {
        word: to_column(names)[row],
        "period": format_normal(period, 0),
        "price": texts(prices[row, period]),
    }


def _bid_fills(book: Book, clearing: Clearing) -> Mapping[str, Bytes]:
    fills = clearing.bid_fills
    return {
        "bid": to_column(book.bids.names)[fills.bid],
        "site": to_column(book.sites.names)[fills.site],
        "accelerator": to_column(book.accelerators.names)[fills.accelerator],
        "period": format_normal(fills.period, 0),
        "route": to_column(book.routes.names)[fills.route],
        "quantity": format_decimals(fills.quantity_lots, layout.LOT_PLACES),
    }


def _offer_fills(book: Book, clearing: Clearing) -> Mapping[str, Bytes]:
    sold = clearing.offer_fills
    return {
        "offer": to_column(book.offers.names)[sold.offer],
        "period": format_normal(sold.period, 0),
        "quantity": format_decimals(sold.quantity_lots, layout.LOT_PLACES),
    }


def _ticks(prices: Ints) -> Bytes:
    return format_decimals(prices, layout.TICK_PLACES)


def _floats(prices: Floats) -> Bytes:
    texts = [float_text(value).encode() for value in prices.tolist()]
    return np.array(texts or [b""], dtype=np.bytes_)[: len(texts)]


def _json(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields, indent=1, ensure_ascii=False).encode() + b"\n"


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    ours = {layout.RESULT_FILE, layout.TIMING_FILE, layout.CERTIFICATE_FILE, *layout.RESULT_TABLES}
    roots = {Path(file).parts[0] for file in ours}
    if not folder.is_dir() or any(path.name not in roots for path in folder.iterdir()):
        raise FileExistsError(f"{folder} holds something that is not a result")
