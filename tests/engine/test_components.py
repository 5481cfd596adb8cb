"""Books cut where nothing couples them clear as the whole does, by any number of workers."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings

from exchange.engine.audit import check
from exchange.engine.book import Book
from exchange.engine.clearing import clear
from exchange.engine.components import parts_of
from exchange.engine.crew import clear_with_workers
from exchange.engine.files import write_book
from exchange.engine.unions import Unions
from tests.engine.hand import make_book
from tests.engine.markets import COUPLED, PLAIN, SHARED
from tests.engine.strategies import small_books

APART = make_book(
    {"periods": 4},
    regions=["east", "west"],
    accelerators=["gpu,0,100,0"],
    sites=["e,east,1,0", "w,west,1,0.5"],
    routes=["ee,east,east,1,", "ew,east,west,10,l", "ww,west,west,1,"],
    links=["l,,0.4"],
    offers=["oe,e,gpu,0,4,4,5", "ow,w,gpu,1,4,20,2"],
    bids=[
        "day,hourly,east,6,10,0,4,,,5,0,,,",
        "gang,block,east,3,9,0,2,2,,5,0,,,",
        "work,volume,west,2,8,2,4,,3,,0,,west,",
        "hour,hourly,west,21,9,1,2,,,,0,,,",
    ],
    bid_accelerators=["day,gpu,1", "gang,gpu,1", "work,gpu,1", "hour,gpu,1"],
)


def spans(book: Book) -> list[tuple[int, int, int]]:
    """Give (first, end, how many offers) of each part."""
    return [(p.first, p.first + p.book.periods, len(p.offers)) for p in parts_of(book)]


def test_periods_part_where_no_block_or_volume_bid_spans_them_and_regions_where_no_bid_goes() -> (
    None
):
    assert spans(APART) == [(0, 2, 1), (0, 2, 1), (2, 4, 1), (2, 4, 1)]


def test_routes_jobs_and_the_domestic_share_hold_a_book_together() -> None:
    assert spans(COUPLED) == [(0, 1, 2)]
    assert spans(SHARED) == [(0, 1, 2)]
    assert spans(PLAIN) == [(0, 2, 4)]


def test_the_parts_clear_to_the_welfare_and_prices_of_the_whole() -> None:
    clearing, audit = clear_with_workers(APART, workers=1)
    whole = clear(APART)
    assert audit.is_clean
    assert clearing.welfare_micros == whole.welfare_micros
    assert clearing.bound_micros == whole.bound_micros
    assert (clearing.prices.cells_ticks == whole.prices.cells_ticks).all()


@settings(max_examples=60)
@given(book=small_books())
def test_the_parts_of_any_book_keep_every_promise_and_are_worth_no_less(book: Book) -> None:
    clearing, audit = clear_with_workers(book, workers=1)
    assert audit.failures == check(book, clear(book)).failures == ()
    cells = max(1, len(clearing.bid_fills.bid) + len(clear(book).bid_fills.bid))
    slack = cells * 34 * 10**3 * book.period_minutes / 60  # a lot of the dearest in each
    assert abs(clearing.welfare_micros - clear(book).welfare_micros) <= slack


def test_one_worker_and_two_write_the_same_bytes(tmp_path: Path) -> None:
    write_book(APART, tmp_path / "book")
    texts = []
    for workers in (1, 2):
        result = tmp_path / f"result-{workers}"
        words = StringIO()
        call_command(
            "clear_book", str(tmp_path / "book"), str(result), workers=workers, stdout=words
        )
        assert "failures: 0" in words.getvalue()
        files = sorted(path for path in result.rglob("*") if path.is_file())
        texts.append(
            [(str(f.relative_to(result)), f.read_bytes()) for f in files if f.name != "timing.json"]
        )
    assert texts[0] == texts[1]
    assert json.loads((tmp_path / "result-2" / "result.json").read_text())["complete"] is True


def test_a_number_of_workers_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="from 1 to 256 workers"):
        call_command("clear_book", str(tmp_path), str(tmp_path), "--workers", "0")


def test_joined_nodes_have_their_least_as_root() -> None:
    unions = Unions(6)
    unions.join([4, 2])
    unions.join([5, 4])
    assert [unions.root(node) for node in range(6)] == [0, 1, 2, 3, 2, 2]
