"""A result on disk: the same bytes always, read back the same, refused with its place if wrong."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exchange.engine.audit import check
from exchange.engine.book import Book
from exchange.engine.desk import Means, ResultFailed, check_folder, clear_folder
from exchange.engine.files import BookRefused, ResultRefused, read_result, write_book, write_result
from exchange.engine.result_writing import float_text, gap_text
from tests.engine.hand import Answer, make_clearing
from tests.engine.markets import (
    COUPLED,
    COUPLED_ANSWER,
    PLAIN,
    PLAIN_ANSWER,
    POWERED,
    POWERED_ANSWER,
    RIGHT,
    SHARED,
    SHARED_ANSWER,
)
from tests.engine.test_files import same

Place = tuple[str, str, int, str]


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def refused(book: Book, folder: Path) -> list[Place]:
    """Give the places for which a result is refused."""
    with pytest.raises(ResultRefused) as caught:
        read_result(book, folder)
    return [(one.code, one.file, one.row, one.column) for one in caught.value.problems]


@pytest.mark.parametrize(("book", "answer"), [(book, answer) for book, answer, _ in RIGHT])
def test_a_result_comes_back_from_disk_as_it_was(
    book: Book, answer: Answer, tmp_path: Path
) -> None:
    clearing = make_clearing(book, answer)
    write_result(book, clearing, tmp_path / "a", timing={"clear": 0.5})
    read = read_result(book, tmp_path / "a")
    assert same(read, clearing)
    assert check(book, read).is_clean
    write_result(book, read, tmp_path / "b")
    assert contents(tmp_path / "a") == {
        **contents(tmp_path / "b"),
        "timing.json": b'{\n "clear": 0.5\n}\n',
    }


def test_files_have_fixed_formats_and_are_sorted_by_key(tmp_path: Path) -> None:
    write_result(COUPLED, make_clearing(COUPLED, COUPLED_ANSWER), tmp_path / "result")
    files = contents(tmp_path / "result")
    assert json.loads(files["result.json"]) == {
        "format": "compute-clearing/1",
        "complete": True,
        "welfare": "59.000000",
        "bound": "59.000000",
        "gap": "0.000000000000",
        "domestic_share_price": "0.000000000",
        "engine": "1.0",
        "book_sha256": json.loads(files["result.json"])["book_sha256"],
    }
    assert files["prices.csv"].decode().splitlines() == [
        "site,accelerator,period,price",
        "e,gpu,0,10.000",
        "w,gpu,0,2.000",
    ]
    assert files["link_prices.csv"] == b"link,period,price\nl,0,80.000\n"
    assert files["power_prices.csv"] == b"region,period,price\n"
    assert files["bid_fills.csv"].decode().splitlines() == [
        "bid,site,accelerator,period,route,quantity",
        "far,e,gpu,0,ee,4.000",
        "far,w,gpu,0,ew,4.000",
        "near,w,gpu,0,ww,1.000",
    ]
    assert files["offer_fills.csv"] == b"offer,period,quantity\noe,0,4.000\now,0,5.000\n"
    assert files["certificate/prices.csv"].endswith(b"e,gpu,0,10.0\nw,gpu,0,2.0\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-9, "0.000000001"),
        (2e22, "20000000000000000000000.0"),
    ],
)
def test_certificate_prices_are_written_so_that_they_read_back_the_same(
    value: float, text: str
) -> None:
    assert float_text(value) == text
    assert float(float_text(value)) == value


@pytest.mark.parametrize(
    ("welfare", "bound", "text"),
    [(2, 3, "0.333333333334"), (3, 3, "0.000000000000"), (0, 0, "0.000000000000")],
)
def test_the_gap_is_rounded_up(welfare: int, bound: int, text: str) -> None:
    assert gap_text(welfare, bound) == text


def test_an_older_result_is_replaced_and_anything_else_is_left_alone(tmp_path: Path) -> None:
    clearing = make_clearing(PLAIN, PLAIN_ANSWER)
    write_result(PLAIN, clearing, tmp_path / "result", timing={})
    write_result(PLAIN, clearing, tmp_path / "result")
    assert "timing.json" not in contents(tmp_path / "result")
    (tmp_path / "result" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError):
        write_result(PLAIN, clearing, tmp_path / "result")
    assert (tmp_path / "result" / "thesis.txt").read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["result"]


CHANGES: tuple[tuple[Place, str, str], ...] = (
    # place, what stands there, what is put there
    (("site_unknown", "prices.csv", 2, "site"), "e,gpu", "x,gpu"),
    (("accelerator_unknown", "prices.csv", 2, "accelerator"), "e,gpu", "e,npu"),
    (("period_outside_horizon", "prices.csv", 2, "period"), "e,gpu,0", "e,gpu,1"),
    (("cell_repeated", "prices.csv", 3, "site"), "w,gpu", "e,gpu"),
    (("price_missing", "prices.csv", 0, "price"), "w,gpu,0,2.000\n", ""),
    (("price_off_tick", "prices.csv", 3, "price"), "2.000", "2.0001"),
    (("number_malformed", "prices.csv", 3, "price"), "2.000", "two"),
    (("link_unknown", "link_prices.csv", 2, "link"), "l,", "x,"),
    (("price_repeated", "link_prices.csv", 3, "period"), "l,", "l,0,1\nl,"),
    (("number_negative", "link_prices.csv", 2, "price"), "80", "-80"),
    (("row_length", "power_prices.csv", 2, ""), "price\n", "price\neast\n"),
    (
        ("region_unknown", "power_prices.csv", 2, "region"),
        "price\n",
        "price\nx,0,1\n",
    ),
    (("bid_unknown", "bid_fills.csv", 4, "bid"), "near", "nigh"),
    (("site_unknown", "bid_fills.csv", 2, "site"), "far,e", "far,x"),
    (("accelerator_unknown", "bid_fills.csv", 2, "accelerator"), "e,gpu", "e,x"),
    (("route_unknown", "bid_fills.csv", 2, "route"), ",ee,", ",xx,"),
    (("fill_repeated", "bid_fills.csv", 3, "bid"), "w,gpu,0,ew", "e,gpu,0,ee"),
    (("quantity_off_lot", "bid_fills.csv", 2, "quantity"), "4.000", "4.0001"),
    (("quantity_not_positive", "bid_fills.csv", 4, "quantity"), "1.000", "0"),
    (("offer_unknown", "offer_fills.csv", 2, "offer"), "oe", "ox"),
    (("fill_repeated", "offer_fills.csv", 3, "offer"), "ow", "oe"),
    (
        ("number_malformed", "certificate/prices.csv", 3, "price"),
        "2.0",
        "nan",
    ),
    (("field_missing", "result.json", 0, "gap"), '"gap"', '"gip"'),
    (("field_unknown", "result.json", 0, "gip"), '"gap"', '"gip"'),
    (("field_malformed", "result.json", 0, "welfare"), '"59.000000"', '"5.9e1"'),
    (("field_too_fine", "result.json", 0, "welfare"), '"59.000000"', '"59.0000001"'),
    (("gap_wrong", "result.json", 0, "gap"), "0.000000000000", "0.000000000001"),
    (("field_type_wrong", "result.json", 0, "complete"), "true", '"yes"'),
    (("format_unknown", "result.json", 0, "format"), "clearing/1", "clearing/2"),
    (("book_differs", "result.json", 0, "book_sha256"), '256": "', '256": "0'),
    (
        ("bound_differs", "certificate/certificate.json", 0, "bound"),
        "59",
        "60",
    ),
    (
        ("json_malformed", "certificate/certificate.json", 0, ""),
        "{",
        "[",
    ),
)


@pytest.mark.parametrize(("place", "old", "new"), CHANGES)
def test_it_refuses_a_malformed_result_at_its_place(
    place: Place, old: str, new: str, tmp_path: Path
) -> None:
    write_result(COUPLED, make_clearing(COUPLED, COUPLED_ANSWER), tmp_path / "result")
    path = tmp_path / "result" / place[1]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert place in refused(COUPLED, tmp_path / "result")


def test_it_refuses_the_result_of_another_book(tmp_path: Path) -> None:
    write_result(POWERED, make_clearing(POWERED, POWERED_ANSWER), tmp_path / "result")
    assert ("book_differs", "result.json", 0, "book_sha256") in refused(SHARED, tmp_path / "result")


@pytest.mark.parametrize("file", ["result.json", "prices.csv", "certificate/certificate.json"])
def test_it_refuses_a_result_without_one_of_its_files(file: str, tmp_path: Path) -> None:
    write_result(SHARED, make_clearing(SHARED, SHARED_ANSWER), tmp_path / "result")
    (tmp_path / "result" / file).unlink()
    assert refused(SHARED, tmp_path / "result") == [("file_missing", file, 0, "")]


def test_clearing_a_folder_writes_a_result_that_checks(tmp_path: Path) -> None:
    write_book(PLAIN, tmp_path / "book")
    audit = clear_folder(
        tmp_path / "book", tmp_path / "result", means=Means(), clock=iter(range(99)).__next__
    )
    assert audit.is_clean
    assert check_folder(tmp_path / "book", tmp_path / "result") == audit
    timing = json.loads((tmp_path / "result" / "timing.json").read_text())
    assert timing == {"read": 1, "clear": 1}


def test_a_refused_book_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    with pytest.raises(BookRefused):
        clear_folder(tmp_path / "book", tmp_path / "result", means=Means(), clock=lambda: 0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_a_clearing_that_fails_its_audit_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = make_clearing(PLAIN, PLAIN_ANSWER)
    wrong = replace(right, bound_micros=0)
    answer = (wrong, check(PLAIN, wrong))
    monkeypatch.setattr("exchange.engine.desk.clear_audited", lambda *_, **__: answer)
    write_book(PLAIN, tmp_path / "book")
    with pytest.raises(ResultFailed):
        clear_folder(tmp_path / "book", tmp_path / "result", means=Means(), clock=lambda: 0.0)
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


def test_arrays_of_a_read_result_fit_its_book(tmp_path: Path) -> None:
    write_result(SHARED, make_clearing(SHARED, SHARED_ANSWER), tmp_path / "result")
    read = read_result(SHARED, tmp_path / "result")
    assert read.prices.cells_ticks.shape == SHARED.open_cells.shape
    assert np.array_equal(read.certificate.cells, [[4.0], [4.0]])
