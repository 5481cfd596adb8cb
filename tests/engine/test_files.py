"""A book on disk: read exactly, the same however its rows stand, and written back the same."""

import dataclasses
import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.engine.book import UNLIMITED, Book
from exchange.engine.files import (
    book_from_csv,
    book_from_tables,
    book_sha256,
    read_book,
    write_book,
)
from tests.engine.shelf import HEAD, draft, put_on_disk, texts
from tests.engine.strategies import Draft, drafts


def same(left: object, right: object) -> bool:
    """Whether two books (or parts of them) are equal, arrays and all."""
    if dataclasses.is_dataclass(left):
        names = [field.name for field in dataclasses.fields(left)]
        return all(same(getattr(left, name), getattr(right, name)) for name in names)
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right)
    return left == right


def shuffled(book: Draft, seed: int) -> Draft:
    """Put the rows of every table in another order."""

    def order(line: tuple[str, ...]) -> bytes:
        return hashlib.sha256(f"{seed}{line}".encode()).digest()

    return Draft(book.head, {file: sorted(lines, key=order) for file, lines in book.rows.items()})


def test_it_reads_numbers_as_they_are_written() -> None:
    book = draft().book()
    assert book.offers.price_ticks.tolist() == [10_500, 4_001, 9_000]
    assert book.offers.quantity_lots.tolist() == [8_000, 16_500, 4_000]
    assert book.accelerators.tflops_micros.tolist() == [320_000_000, 989_500_000]
    assert book.bids.price_ticks.tolist() == [12_000, 11_999, 7_000, 9_500]
    assert book.bids.latency_micros_max.tolist() == [5_000_000, UNLIMITED, UNLIMITED, 20_000_000]
    assert book.bids.volume_lots.tolist() == [0, 0, 0, 5_500]
    assert book.min_domestic_share_micros == 250_000


def test_it_lays_limits_on_links_and_regions() -> None:
    book = draft().book()
    assert book.links.tolist() == ["e>w", "m>e", "w>m"]
    assert book.link_gbps_micros.tolist() == [
        [1_500_000] * 4,
        [UNLIMITED, UNLIMITED, 500_000, UNLIMITED],
        [UNLIMITED] * 4,
    ]
    assert book.power_kw_micros.tolist() == [
        [50_000_000, 40_500_000, UNLIMITED, UNLIMITED],
        [UNLIMITED] * 4,
    ]


def test_it_keeps_what_each_bid_accepts_in_the_order_of_bids_and_accelerators() -> None:
    bids = draft().book().bids
    assert bids.choice_start.tolist() == [0, 1, 2, 3, 5]
    assert bids.choice_accelerator.tolist() == [1, 1, 0, 0, 1]
    assert bids.choice_factor_micros.tolist() == [
        1_000_000,
        1_000_000,
        1_500_000,
        300_000,
        1_000_000,
    ]
    assert bids.region_start.tolist() == [0, 0, 0, 2, 3]
    assert bids.regions.tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("text", "ticks"),
    [("0.1", 100), ("10", 10_000), ("0.300000", 300), ("007.5", 7_500), (".5", 500), ("5.", 5_000)],
)
def test_it_reads_a_decimal_without_a_float_in_between(text: str, ticks: int) -> None:
    book = draft()
    book.rows["offers.csv"][0] = ("o1", "east-1", "h100", "0", "4", "8", text)
    assert book.book().offers.price_ticks[0] == ticks


def test_rows_and_columns_in_another_order_make_the_same_book() -> None:
    plain = draft().book()
    assert same(shuffled(draft(), 1).book(), plain)
    head, *rows = texts(draft())["sites.csv"].decode().splitlines()
    turned = [",".join(line.split(",")[::-1]) for line in (head, *rows)]
    files = {"book.json": json.dumps(HEAD).encode(), **texts(draft())}
    files["sites.csv"] = "\r\n".join(turned).encode()
    assert same(book_from_csv(files), plain)


def test_a_packed_table_reads_like_a_plain_one(tmp_path: Path) -> None:
    files = {"book.json": json.dumps(HEAD).encode(), **texts(draft())}
    plain = read_book(put_on_disk(files, tmp_path / "plain"))
    packed = {f"{file}.gz": gzip.compress(text) for file, text in texts(draft()).items()}
    files = {"book.json": b"\xef\xbb\xbf" + json.dumps(HEAD).encode(), **packed}
    assert same(read_book(put_on_disk(files, tmp_path / "packed")), plain)


def test_tables_in_memory_make_the_same_book_as_files(tmp_path: Path) -> None:
    files = {"book.json": json.dumps(HEAD).encode(), **texts(draft())}
    from_disk = read_book(put_on_disk(files, tmp_path))
    arrays = {
        file: {name: np.array(values, dtype=np.str_) for name, values in table.items()}
        for file, table in draft().tables().items()
    }
    assert same(book_from_tables(HEAD, arrays), from_disk)


def test_numbers_in_the_head_may_be_json_numbers() -> None:
    head = json.dumps({**HEAD, "price_tick": 0.001, "min_domestic_share": 0.25})
    files = {"book.json": head.encode(), **texts(draft())}
    assert same(book_from_csv(files), draft().book())


def test_names_may_be_quoted_and_in_any_script(tmp_path: Path) -> None:
    book = draft()
    files = {"book.json": json.dumps(HEAD).encode(), **texts(book)}
    odd = '"hall ""A"", 贵安"'.encode()
    files["sites.csv"] = files["sites.csv"].replace(b"west-2", odd)
    files["offers.csv"] = files["offers.csv"].replace(b"west-2", odd)
    read = book_from_csv(files)
    assert 'hall "A", 贵安' in read.sites.names.tolist()
    write_book(read, tmp_path)
    assert same(read_book(tmp_path), read)


def test_a_book_without_orders_is_a_book() -> None:
    book = draft()
    for file in ("offers.csv", "bids.csv", "bid_accelerators.csv", "links.csv", "power.csv"):
        del book.rows[file]
    read = book.book()
    assert len(read.bids.names) == len(read.offers.names) == 0
    assert read.open_cells.shape == (0, 4)


def test_writing_leaves_no_table_of_an_older_book_behind(tmp_path: Path) -> None:
    write_book(draft().book(), tmp_path)
    book = draft()
    del book.rows["power.csv"]
    write_book(book.book(), tmp_path)
    assert same(read_book(tmp_path), book.book())


def test_the_fingerprint_is_that_of_the_written_files(tmp_path: Path) -> None:
    book = draft().book()
    write_book(book, tmp_path)
    digest = hashlib.sha256()
    for file in (
        "book.json",
        "regions.csv",
        "accelerators.csv",
        "sites.csv",
        "routes.csv",
        "links.csv",
        "power.csv",
        "offers.csv",
        "bids.csv",
        "bid_accelerators.csv",
    ):
        text = (tmp_path / file).read_bytes()
        digest.update(f"{file}\n{len(text)}\n".encode() + text)
    assert book_sha256(book) == digest.hexdigest()


def test_the_fingerprint_sees_every_number_and_no_notation() -> None:
    book = draft()
    before = book_sha256(book.book())
    book.rows["offers.csv"][0] = ("o1", "east-1", "h100", "0", "4", "8.000", "10.50")
    assert book_sha256(shuffled(book, 2).book()) == before
    book.rows["offers.csv"][0] = ("o1", "east-1", "h100", "0", "4", "8.000", "10.501")
    assert book_sha256(book.book()) != before


@given(book=drafts(), seed=st.integers(0, 9))
def test_any_book_comes_back_from_disk_as_it_was(
    book: Draft, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    read: Book = book.book()
    folder = tmp_path_factory.mktemp("book")
    write_book(read, folder)
    assert same(read_book(folder), read)
    assert same(shuffled(book, seed).book(), read)
