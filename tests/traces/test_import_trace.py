"""The command, from the publishers' files to a book that the engine reads."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from exchange.engine.book import UNLIMITED, BidKind, Book
from exchange.engine.files import read_book

JOBS = "timestamp,duration,num_gpus,gpu_time,cluster\n" + "".join(
    f"2017-10-09 {row % 24:02d}:00:00,{1800 + 600 * row},{2 ** (row % 5)},0,t{row % 3}\n"
    for row in range(60)
)
NODES = "gpu_model,gpu_capacity_num,cpu_num,node_name\n" + "".join(
    f"{model},{gpus},128,{row}\n"
    for row in range(90)
    for model, gpus in (("A10", 1), ("A100-SXM4-80GB", 8), ("GPU-series-1", 4))
)
PRICES = (
    "region,gpu_model,currency,on_demand_per_gpu_h,spot_median_per_gpu_h\n"
    "cn-shanghai,A10,CNY,9.5,2.4\ncn-shanghai,A100-80GB,CNY,34.7,12.1\n"
)


def imported(folder: Path, *words: str, day: str = "2017-10-09") -> tuple[Book, str]:
    files = {}
    for name, text in (("jobs", JOBS), ("nodes", NODES), ("prices", PRICES)):
        files[name] = folder / f"{name}.csv"
        files[name].write_text(text)
    said = StringIO()
    call_command(
        "import_trace",
        str(folder / "book"),
        *(f"--{name}={path}" for name, path in files.items()),
        f"--day={day}",
        "--supply=1",
        *words,
        stdout=said,
    )
    return read_book(folder / "book"), said.getvalue()


def test_it_writes_a_book_that_the_engine_reads(tmp_path: Path) -> None:
    book, said = imported(tmp_path)

    assert len(book.bids.names) > 50
    assert set(book.bids.kind) == {BidKind.HOURLY, BidKind.BLOCK, BidKind.VOLUME}
    assert len(book.offers.names) == 180
    assert len(book.regions) == 10
    assert "assumed: " in said


def test_it_limits_what_it_is_told_to_limit(tmp_path: Path) -> None:
    book, _ = imported(
        tmp_path, "--groups", "--link-gbps=0.5", "--power=0.5", "--min-domestic-share=0.7"
    )

    assert book.min_domestic_share_micros == 700_000
    assert set(book.link_gbps_micros.ravel()) == {500_000}
    assert (book.power_kw_micros != UNLIMITED).any()
    assert len(book.groups) > 0


def test_without_limits_there_are_none(tmp_path: Path) -> None:
    book, _ = imported(tmp_path)

    assert book.min_domestic_share_micros is None
    assert (book.link_gbps_micros == UNLIMITED).all()
    assert (book.power_kw_micros == UNLIMITED).all()


def test_a_malformed_trace_leaves_no_book_behind(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"no job was submitted on 2017-10-10"):
        imported(tmp_path, day="2017-10-10")

    assert not (tmp_path / "book").exists()
