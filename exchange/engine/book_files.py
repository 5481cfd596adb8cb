"""The book on disk, ``compute-order-book/1``: read, write, and its fingerprint.

A book is read from a folder, from the bytes of its files, or from columns in memory; the checks
are the same. Whatever the order of the rows, the same book gives the same arrays.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from exchange.engine import layout, writing
from exchange.engine.book import Book
from exchange.engine.csv_text import Bytes, as_column, parse_csv
from exchange.engine.names import to_names
from exchange.engine.problems import BookRefused, Problems
from exchange.engine.reading_head import HEAD_FILE, HeadReader
from exchange.engine.reading_network import (
    read_accelerators,
    read_link_limits,
    read_power_limits,
    read_regions,
    read_routes,
    read_sites,
)
from exchange.engine.reading_orders import Places, read_bids, read_offers
from exchange.engine.sheet import Sheet

FILE_BYTES_MAX: Final = 4 << 30

Column: TypeAlias = Sequence[str] | NDArray[np.str_] | Bytes


def read_book(folder: Path) -> Book:
    """Read the book in a folder, each table plain or as ``.csv.gz``; other files are left alone.

    :raises BookRefused: with the file, row and column of every problem found
    """
    problems = Problems(BookRefused)
    if not folder.is_dir():
        problems.add("folder_missing", str(folder), 0, detail="there is no such folder")
    problems.raise_any()
    texts = {}
    for file in (HEAD_FILE, *layout.BOOK_TABLES):
        text = read_bytes(folder, file, problems, optional=file in layout.OPTIONAL_TABLES)
        if text is not None:
            texts[file] = text
    problems.raise_any()
    return book_from_csv(texts)


def book_from_csv(texts: Mapping[str, bytes]) -> Book:
    """Build a book from the bytes of its files, by name (``book.json``, ``regions.csv``, ...).

    :raises BookRefused: with every problem found
    """
    problems = Problems(BookRefused)
    head = parse_json(texts.get(HEAD_FILE, b""), HEAD_FILE, problems)
    tables = {}
    for file, columns in layout.BOOK_TABLES.items():
        if file in texts:
            tables[file] = parse_csv(texts[file], file, columns, problems)
    problems.raise_any()
    return book_from_tables(head, {file: table for file, table in tables.items() if table})


def book_from_tables(
    head: Mapping[str, object], tables: Mapping[str, Mapping[str, Column]]
) -> Book:
    """Build a book from columns of strings in memory, by file and column name.

    ``head`` has the fields of ``book.json``; an empty string means not set. The rows of a problem
    count as if the table stood in a file: the first is row 2.

    :raises BookRefused: with every problem found
    """
    problems = Problems(BookRefused)
    sheets = _open_sheets(tables, problems)
    fields = HeadReader(head, problems).read()
    region_names, regions = read_regions(sheets["regions.csv"])
    accelerators, chips = read_accelerators(sheets["accelerators.csv"])
    sites, site_names = read_sites(sheets["sites.csv"], regions)
    routes, links = read_routes(sheets["routes.csv"], regions, sheets.get("links.csv"))
    link_limits = read_link_limits(sheets.get("links.csv"), links, fields.periods)
    power_limits = read_power_limits(sheets.get("power.csv"), regions, fields.periods)
    places = Places(regions, site_names, chips)
    offers = read_offers(sheets["offers.csv"], fields, places)
    bids, groups = read_bids(sheets["bids.csv"], sheets["bid_accelerators.csv"], fields, places)
    problems.raise_any()
    return Book(
        auction=fields.auction,
        currency=fields.currency,
        start=fields.start,
        period_minutes=fields.period_minutes,
        periods=fields.periods,
        price_cap_ticks=fields.price_cap_ticks,
        min_domestic_share_micros=fields.min_domestic_share_micros,
        regions=region_names,
        accelerators=accelerators,
        sites=sites,
        routes=routes,
        links=to_names(links.column),
        link_gbps_micros=link_limits,
        power_kw_micros=power_limits,
        offers=offers,
        bids=bids,
        groups=groups,
    )


def write_book(book: Book, folder: Path) -> None:
    """Write the canonical book into a folder, which is made if it is not there.

    Reading it again gives the same book: tables of an older one are taken away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in layout.BOOK_TABLES:
        for name in (file, f"{file}.gz"):
            (folder / name).unlink(missing_ok=True)
    for file, text in writing.book_texts(book):
        (folder / file).write_bytes(text)


def book_sha256(book: Book) -> str:
    """Give the SHA-256 of the canonical book, in hexadecimal.

    It runs over the files that ``write_book`` writes, in the order of market.md (book.json first),
    each as its name, a newline, its length in bytes in decimal, a newline, and its bytes.
    """
    digest = hashlib.sha256()
    for file, text in writing.book_texts(book):
        digest.update(f"{file}\n{len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()


def read_bytes(
    folder: Path, file: str, problems: Problems, *, optional: bool = False
) -> bytes | None:
    """Read a file or its ``.gz``; None where it is absent or a problem was noted."""
    plain, packed = folder / file, folder / f"{file}.gz"
    if plain.is_file() and packed.is_file() and file != HEAD_FILE:
        problems.add("file_twice", file, 0, detail="it is there both plain and as .gz")
        return None
    if plain.is_file():
        with plain.open("rb") as stream:
            return _fair_bytes(stream.read(FILE_BYTES_MAX + 1), file, problems)
    if packed.is_file() and file.endswith(".csv"):
        return _unpack(packed, file, problems)
    if not optional:
        problems.add("file_missing", file, 0, detail="there is no such file")
    return None


def parse_json(text: bytes, file: str, problems: Problems) -> dict[str, object]:
    """Read one JSON object; numbers with a point stay text, so that they stay exact."""
    try:
        fields = json.loads(text.decode("utf-8-sig"), parse_float=str, parse_constant=str)
    except UnicodeDecodeError:
        problems.add("encoding_bad", file, 0, detail="not UTF-8")
    except (ValueError, RecursionError) as error:
        problems.add("json_malformed", file, 0, detail=str(error))
    else:
        if isinstance(fields, dict):
            return fields
        problems.add("json_not_object", file, 0, detail="must be one object")
    return {}


def _unpack(packed: Path, file: str, problems: Problems) -> bytes | None:
    try:
        with gzip.open(packed) as stream:
            text = stream.read(FILE_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        problems.add("gzip_malformed", packed.name, 0, detail=str(error))
        return None
    return _fair_bytes(text, file, problems)


def _fair_bytes(text: bytes, file: str, problems: Problems) -> bytes | None:
    if len(text) <= FILE_BYTES_MAX:
        return text
    problems.add("file_too_large", file, 0, detail=f"more than {FILE_BYTES_MAX:,} bytes")
    return None


def _open_sheets(
    tables: Mapping[str, Mapping[str, Column]], problems: Problems
) -> dict[str, Sheet]:
    sheets = {}
    for file, names in layout.BOOK_TABLES.items():
        table = tables.get(file)
        if table is None:
            if file not in layout.OPTIONAL_TABLES:
                problems.add("file_missing", file, 0, detail="there is no such table")
            continue
        assert set(table) == set(names), (file, set(table) ^ set(names))
        columns = {name: as_column(values) for name, values in table.items()}
        sheets[file] = Sheet(file, columns, problems)
    problems.raise_any()
    return sheets
