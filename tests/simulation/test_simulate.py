"""The command, from a trace to a report; national days as books."""

from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from exchange.engine.book import Book
from exchange.management.simulation import assumptions as assumed
from exchange.management.simulation.nation import Nation, draw_book
from exchange.management.simulation.provinces import PROVINCES
from exchange.management.simulation.report import FILE
from exchange.management.simulation.runs import read_runs
from exchange.management.simulation.valuations import RULES
from exchange.management.traces.sources import Job, Prices
from exchange.services.catalog_tables import TABLES_DIR, read_tables
from exchange.services.geography import backbone, shortest_paths


@pytest.fixture
def nation() -> Nation:
    prices = Prices(listed={("A10", "cn-shanghai"): 9.5, ("A100-80GB", "cn-shanghai"): 34.0})
    prices.spot_ratios |= {"A10": [0.25, 0.35], "A100-80GB": [0.35, 0.5]}
    jobs = [Job(row, row % 24, 2 ** (row % 4), 0.5 + row % 7, f"t{row % 3}") for row in range(50)]
    return Nation(
        provinces=PROVINCES[:6],
        chips={str(row["code"]): row for row in read_tables(TABLES_DIR)["accelerators.csv"]},
        prices=prices,
        jobs=[jobs],
        sites=30,
        jobs_a_day=200,
        first_day=date(2017, 10, 4),
    )


def drawn(nation: Nation, *, rule: str = "size", seed: int = 1, day: int = 0) -> Book:
    start = datetime(2017, 10, 4, tzinfo=UTC)
    return draw_book(nation, day=day, seed=seed, rule=rule, start=start)


def test_a_rule_changes_limits_and_nothing_else(nation: Nation) -> None:
    books = [drawn(nation, rule=rule) for rule in RULES]
    for book in books[1:]:
        for name in ("names", "kind", "origin", "quantity_lots", "first", "end", "gbps_micros"):
            assert (getattr(book.bids, name) == getattr(books[0].bids, name)).all()
        assert (book.offers.price_ticks == books[0].offers.price_ticks).all()
        assert (book.bids.price_ticks != books[0].bids.price_ticks).mean() > 0.9


def test_a_seed_draws_the_same_day_again_and_another_one_does_not(nation: Nation) -> None:
    one, again, other = drawn(nation), drawn(nation), drawn(nation, seed=2)
    assert (one.bids.price_ticks == again.bids.price_ticks).all()
    assert not np.array_equal(one.bids.origin, other.bids.origin)


def test_days_differ_and_sites_stay(nation: Nation) -> None:
    one, next_one = drawn(nation), drawn(nation, day=1)
    assert (one.sites.names == next_one.sites.names).all()
    assert not np.array_equal(one.bids.origin, next_one.bids.origin)


def test_what_is_offered_is_as_scarce_as_assumed(nation: Nation) -> None:
    book = drawn(nation)
    assert len(book.sites.names) == nation.sites
    offered = int(book.offers.quantity_lots.sum()) / 1_000 * 24
    units = book.bids.quantity_lots * np.where(
        book.bids.duration > 0, book.bids.duration, book.bids.end - book.bids.first
    )
    wanted = np.where(book.bids.volume_lots > 0, book.bids.volume_lots, units).sum() / 1_000
    assert offered / wanted == pytest.approx(assumed.ADEQUACY, rel=0.05)


def test_all_provinces_hang_together() -> None:
    links = backbone({one.code: (one.north, one.east) for one in PROVINCES})
    assert len(shortest_paths(links, "hainan")) == len(PROVINCES) == 31


def simulated(folder: Path) -> str:
    words = ["--regions", "3", "--sites", "6", "--jobs", "20", "--seeds", "1", "--no-plots"]
    said = StringIO()
    call_command("simulate", str(folder), *words, "--seconds", "5", stdout=said)
    return said.getvalue()


def test_the_command_reports_every_market_under_every_rule_and_does_nothing_twice(
    tmp_path: Path,
) -> None:
    said = simulated(tmp_path)
    assert "assumed: " in said
    runs = list(read_runs(tmp_path))
    assert len({(run.rule, run.outcome.market) for run in runs}) == len(runs) == 9
    report = (tmp_path / FILE).read_text()
    assert all(f"{rule}, coupled" in report for rule in RULES)
    assert "may be claimed" in report

    said = simulated(tmp_path)
    assert "bids, " not in said
    assert len(list(read_runs(tmp_path))) == 9
