"""Each way in which a book can be wrong is refused with its own code, file, row and column."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.engine import book_files, csv_text
from exchange.engine.files import BookRefused, book_from_csv, read_book
from exchange.engine.layout import BOOK_TABLES
from exchange.engine.problems import Problem
from tests.engine.shelf import HEAD, draft, put_on_disk, texts

Place = tuple[str, str, int, str]  # code, file, row, column


def refused(read: Callable[[], object]) -> list[Problem]:
    """Give the problems for which something is refused."""
    with pytest.raises(BookRefused) as caught:
        read()
    return caught.value.problems


def places(problems: list[Problem]) -> list[Place]:
    """Leave out the words."""
    assert all(problem.detail for problem in problems)
    return [(one.code, one.file, one.row, one.column) for one in problems]


CELLS: tuple[tuple[str, str, int, str, str], ...] = (
    # code, file, row, column, new value
    ("name_missing", "regions.csv", 2, "region", ""),
    ("name_bad", "offers.csv", 2, "offer", " o1"),
    ("name_bad", "offers.csv", 2, "offer", "o\t1"),
    ("name_too_long", "offers.csv", 2, "offer", "o" * 201),
    ("name_with_space", "regions.csv", 2, "region", "far east"),
    ("region_repeated", "regions.csv", 3, "region", "east"),
    ("accelerator_repeated", "accelerators.csv", 3, "accelerator", "ascend"),
    ("site_repeated", "sites.csv", 4, "site", "east-1"),
    ("route_repeated", "routes.csv", 5, "route", "east-east"),
    ("offer_repeated", "offers.csv", 4, "offer", "o1"),
    ("bid_repeated", "bids.csv", 5, "bid", "b1"),
    ("flag_bad", "accelerators.csv", 2, "domestic", "yes"),
    ("value_missing", "accelerators.csv", 2, "tflops", ""),
    ("number_malformed", "accelerators.csv", 3, "watts", "7e2"),
    ("number_malformed", "offers.csv", 2, "quantity", "."),
    ("number_malformed", "offers.csv", 2, "price", "1.2.3"),
    ("number_malformed", "offers.csv", 2, "price", "+1"),
    ("number_malformed", "offers.csv", 2, "price", "0x1"),
    ("number_malformed", "offers.csv", 2, "price", "\u0661"),
    ("number_not_finite", "accelerators.csv", 3, "watts", "NaN"),
    ("number_not_finite", "offers.csv", 3, "price", "-inf"),
    ("number_negative", "accelerators.csv", 3, "watts", "-1"),
    ("number_negative", "offers.csv", 2, "price", "-0.001"),
    ("number_too_large", "offers.csv", 2, "quantity", "1000000.001"),
    ("number_too_large", "accelerators.csv", 3, "watts", "9" * 40),
    ("number_too_fine", "sites.csv", 2, "pue", "1.2500001"),
    ("number_not_whole", "offers.csv", 2, "first", "0.5"),
    ("region_unknown", "sites.csv", 3, "region", "north"),
    ("pue_below_one", "sites.csv", 3, "pue", "0.999999"),
    ("share_out_of_range", "sites.csv", 3, "renewable_share", "1.000001"),
    ("share_out_of_range", "bids.csv", 4, "renewable_min", "2"),
    ("origin_unknown", "routes.csv", 2, "origin", "north"),
    ("region_unknown", "routes.csv", 3, "region", "north"),
    ("route_link_repeated", "routes.csv", 5, "links", "w>m w>m"),
    ("name_missing", "links.csv", 2, "link", ""),
    ("period_outside_horizon", "links.csv", 3, "period", "4"),
    ("region_unknown", "power.csv", 2, "region", "north"),
    ("power_period_repeated", "power.csv", 3, "period", "0"),
    ("period_outside_horizon", "power.csv", 2, "period", "99"),
    ("value_missing", "power.csv", 2, "period", ""),
    ("site_unknown", "offers.csv", 4, "site", "west-9"),
    ("accelerator_unknown", "offers.csv", 4, "accelerator", "b200"),
    ("window_empty", "offers.csv", 4, "end", "1"),
    ("window_outside_horizon", "offers.csv", 4, "end", "5"),
    ("quantity_off_lot", "offers.csv", 4, "quantity", "0.0005"),
    ("quantity_not_positive", "offers.csv", 4, "quantity", "0.000"),
    ("price_off_tick", "offers.csv", 4, "price", "9.0001"),
    ("ask_above_cap", "offers.csv", 4, "price", "100.001"),
    ("kind_unknown", "bids.csv", 2, "kind", "daily"),
    ("origin_unknown", "bids.csv", 2, "origin", "north"),
    ("block_not_whole", "bids.csv", 3, "quantity", "4.5"),
    ("window_empty", "bids.csv", 2, "end", "0"),
    ("window_outside_horizon", "bids.csv", 5, "end", "6"),
    ("limit_above_cap", "bids.csv", 2, "price", "100.001"),
    ("limit_above_cap", "bids.csv", 5, "price", "30.001"),
    ("duration_missing", "bids.csv", 3, "duration", ""),
    ("duration_not_block", "bids.csv", 2, "duration", "2"),
    ("duration_not_positive", "bids.csv", 3, "duration", "0"),
    ("duration_exceeds_window", "bids.csv", 4, "duration", "4"),
    ("volume_missing", "bids.csv", 5, "volume", ""),
    ("volume_not_volume", "bids.csv", 2, "volume", "2"),
    ("volume_not_positive", "bids.csv", 5, "volume", "0"),
    ("volume_exceeds_window", "bids.csv", 5, "volume", "6.001"),
    ("group_not_block", "bids.csv", 2, "group", "gang"),
    ("region_unknown", "bids.csv", 4, "regions", "east north"),
    ("region_listed_twice", "bids.csv", 4, "regions", "east east"),
    ("number_negative", "bids.csv", 2, "max_latency_ms", "-1"),
    ("bid_unknown", "bid_accelerators.csv", 2, "bid", "b9"),
    ("accelerator_unknown", "bid_accelerators.csv", 2, "accelerator", "b200"),
    ("factor_not_positive", "bid_accelerators.csv", 4, "factor", "0"),
    ("number_too_large", "bid_accelerators.csv", 4, "factor", "1000.1"),
    ("bid_accelerator_repeated", "bid_accelerators.csv", 6, "accelerator", "ascend"),
)


@pytest.mark.parametrize(("place", "value"), [(cell[:4], cell[4]) for cell in CELLS])
def test_it_refuses_a_wrong_cell_at_its_place(place: Place, value: str) -> None:
    _, file, row, column = place
    book = draft()
    cells = list(book.rows[file][row - 2])
    cells[BOOK_TABLES[file].index(column)] = value
    book.rows[file][row - 2] = tuple(cells)
    assert place in places(refused(book.book))


ROWS: tuple[tuple[Place, str, str], ...] = (
    (("link_period_repeated", "links.csv", 4, "period"), "links.csv", "m>e,2,1"),
    (("link_period_repeated", "links.csv", 4, "period"), "links.csv", "e>w,,1"),
    (("link_period_overlaps", "links.csv", 4, "period"), "links.csv", "e>w,3,1"),
    (
        ("bid_without_accelerators", "bids.csv", 6, "bid"),
        "bids.csv",
        "b5,hourly,east,1,1,0,1,,,,,,,",
    ),
)


@pytest.mark.parametrize(("place", "file", "row"), ROWS)
def test_it_refuses_a_row_that_contradicts_another(place: Place, file: str, row: str) -> None:
    book = draft()
    book.rows[file].append(tuple(row.split(",")))
    assert places(refused(book.book)) == [place]


FIELDS: tuple[tuple[str, str, object], ...] = (
    ("field_type_wrong", "auction", 7),
    ("field_type_wrong", "periods", "4"),
    ("field_type_wrong", "periods", True),
    ("field_type_wrong", "price_cap", None),
    ("field_malformed", "price_cap", "a lot"),
    ("field_malformed", "min_domestic_share", ""),
    ("format_unknown", "format", "compute-order-book/2"),
    ("auction_name_bad", "auction", ""),
    ("auction_name_bad", "auction", "day\n1"),
    ("currency_bad", "currency", "yuan"),
    ("start_malformed", "start", "5 January"),
    ("start_without_offset", "start", "2026-01-05T00:00:00"),
    ("period_minutes_out_of_range", "period_minutes", 0),
    ("periods_out_of_range", "periods", 1_001),
    ("price_tick_unsupported", "price_tick", "0.01"),
    ("price_tick_unsupported", "price_tick", "0.0001"),
    ("price_cap_off_tick", "price_cap", "99.9999"),
    ("price_cap_out_of_range", "price_cap", "0"),
    ("price_cap_out_of_range", "price_cap", "100000.001"),
    ("domestic_share_out_of_range", "min_domestic_share", "1.01"),
    ("domestic_share_too_fine", "min_domestic_share", "0.1234567"),
)


@pytest.mark.parametrize(("code", "field", "value"), FIELDS)
def test_it_refuses_a_wrong_field_of_the_head(code: str, field: str, value: object) -> None:
    book = draft()
    book.head[field] = value
    assert places(refused(book.book)) == [(code, "book.json", 0, field)]


def test_it_refuses_a_head_with_a_field_missing_or_unknown() -> None:
    book = draft()
    del book.head["currency"]
    book.head["colour"] = "red"
    assert places(refused(book.book)) == [
        ("field_missing", "book.json", 0, "currency"),
        ("field_unknown", "book.json", 0, "colour"),
    ]


def files() -> dict[str, bytes]:
    """Give the small valid book as files."""
    return {"book.json": json.dumps(HEAD).encode(), **texts(draft())}


TEXTS: tuple[tuple[Place, str, Callable[[bytes], bytes]], ...] = (
    (("header_missing", "sites.csv", 1, ""), "sites.csv", lambda _: b"\n"),
    (("column_missing", "sites.csv", 1, "pue"), "sites.csv", lambda b: b.replace(b"pue", b"PUE")),
    (("column_unknown", "sites.csv", 1, "PUE"), "sites.csv", lambda b: b.replace(b"pue", b"PUE")),
    (
        ("column_repeated", "sites.csv", 1, "site"),
        "sites.csv",
        lambda b: b.replace(b"site,region", b"site,site"),
    ),
    (("row_length", "sites.csv", 3, ""), "sites.csv", lambda b: b.replace(b",1.1,", b",1.1,,")),
    (("row_length", "sites.csv", 3, ""), "sites.csv", lambda b: b.replace(b",1.1,0.8", b',"1.1"')),
    (("row_length", "sites.csv", 3, ""), "sites.csv", lambda b: b.replace(b"west-1", b"\nwest-1")),
    (("encoding_bad", "sites.csv", 2, ""), "sites.csv", lambda b: b.replace(b"east-1", b"\xff")),
    (("zero_byte", "sites.csv", 4, ""), "sites.csv", lambda b: b.replace(b"west-2", b"we\0t")),
    (("quoting_bad", "sites.csv", 2, ""), "sites.csv", lambda b: b.replace(b"east-1", b'"e"-1')),
    (("json_malformed", "book.json", 0, ""), "book.json", lambda b: b[:-1]),
    (("json_malformed", "book.json", 0, ""), "book.json", lambda _: b"[" * 100_000),
    (("json_not_object", "book.json", 0, ""), "book.json", lambda _: b"[]"),
    (("encoding_bad", "book.json", 0, ""), "book.json", lambda _: b"\xff"),
)


@pytest.mark.parametrize(("place", "file", "spoil"), TEXTS)
def test_it_refuses_a_file_that_is_not_what_it_should_be(
    place: Place, file: str, spoil: Callable[[bytes], bytes]
) -> None:
    book = files()
    book[file] = spoil(book[file])
    assert place in places(refused(lambda: book_from_csv(book)))


@pytest.mark.parametrize(
    "file", [name for name in BOOK_TABLES if name not in {"links.csv", "power.csv"}]
)
def test_it_refuses_a_book_without_one_of_its_files(file: str, tmp_path: Path) -> None:
    book = files()
    del book[file]
    folder = put_on_disk(book, tmp_path / "book")
    assert places(refused(lambda: read_book(folder))) == [("file_missing", file, 0, "")]
    assert places(refused(lambda: book_from_csv(book))) == [("file_missing", file, 0, "")]


def test_it_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    [problem] = refused(lambda: read_book(tmp_path / "none"))
    assert problem.code == "folder_missing"


def test_it_refuses_a_table_that_is_there_both_plain_and_packed(tmp_path: Path) -> None:
    folder = put_on_disk(files(), tmp_path)
    (folder / "bids.csv.gz").write_bytes(gzip.compress((folder / "bids.csv").read_bytes()))
    assert places(refused(lambda: read_book(folder))) == [("file_twice", "bids.csv", 0, "")]


@pytest.mark.parametrize(
    "spoil", [lambda b: b[:-9], lambda b: b"text" + b, lambda b: b[:20] + b"?" * 9]
)
def test_it_refuses_a_packed_table_that_cannot_be_unpacked(
    spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    folder = put_on_disk(files(), tmp_path)
    packed = gzip.compress((folder / "bids.csv").read_bytes())
    (folder / "bids.csv").unlink()
    (folder / "bids.csv.gz").write_bytes(spoil(packed))
    assert places(refused(lambda: read_book(folder))) == [("gzip_malformed", "bids.csv.gz", 0, "")]


def test_it_refuses_a_file_beyond_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put_on_disk(files(), tmp_path)
    size = (folder / "bids.csv").stat().st_size
    monkeypatch.setattr(book_files, "FILE_BYTES_MAX", size - 1)
    assert places(refused(lambda: read_book(folder))) == [("file_too_large", "bids.csv", 0, "")]


def test_it_refuses_a_table_with_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "TABLE_ROWS_MAX", 4)
    found = places(refused(lambda: book_from_csv(files())))
    assert found == [("table_too_long", "bid_accelerators.csv", 0, "")]


def test_it_refuses_a_field_that_is_too_long() -> None:
    book = files()
    book["regions.csv"] += b"x" * 5_000 + b"\n"
    assert places(refused(lambda: book_from_csv(book))) == [
        ("field_too_long", "regions.csv", 0, "")
    ]


def test_it_reports_every_problem_of_a_book_at_once() -> None:
    book = draft()
    book.rows["offers.csv"][0] = ("o1", "nowhere", "h100", "0", "4", "8", "10.5")
    book.rows["bids.csv"][1] = (
        *["b2", "block", "east", "4", "11.999", "0", "4"],
        "",
        "",
        "",
        "0.1",
        "gang",
        "",
        "",
    )
    assert places(refused(book.book)) == [
        ("site_unknown", "offers.csv", 2, "site"),
        ("duration_missing", "bids.csv", 3, "duration"),
    ]


def test_it_names_only_the_first_of_many_equal_problems() -> None:
    book = draft()
    book.rows["regions.csv"] += [("",)] * 1_000
    assert len(refused(book.book)) == 20


def test_at_least_sixty_kinds_of_problem_have_their_own_code() -> None:
    codes = {case[0] for case in CELLS} | {case[0] for case in FIELDS}
    codes |= {place[0] for place, *_ in ROWS} | {place[0] for place, *_ in TEXTS}
    assert len(codes) >= 60


def problems_of(book: dict[str, bytes]) -> list[Problem]:
    """Give the problems of a book; none if it can be read."""
    try:
        book_from_csv(book)
    except BookRefused as refusal:
        return refusal.problems
    return []


MARKS = st.sampled_from(["", "-", "nan", "1e9", "0.0000001", '"', ",", "\n", "é", "9" * 30, "\x00"])


@given(file=st.sampled_from(sorted(BOOK_TABLES)), place=st.integers(0, 10_000), mark=MARKS)
def test_a_book_with_anything_put_anywhere_is_read_or_refused(
    file: str, place: int, mark: str
) -> None:
    book = files()
    at = place % (len(book[file]) + 1)
    book[file] = book[file][:at] + mark.encode() + book[file][at + place % 3 :]
    assert {problem.file for problem in problems_of(book)} <= set(BOOK_TABLES)
