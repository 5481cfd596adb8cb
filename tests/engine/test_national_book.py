"""The drawn national book: the same from the same seed, of the size asked for, with every limit."""

from pathlib import Path

import numpy as np

from exchange.engine.book import NO_GROUP, UNLIMITED, BidKind
from exchange.engine.files import book_sha256, read_book
from tests.bench.national_book import national_book, write_national_book
from tests.bench.national_facts import Size
from tests.bench.national_run import count_binding
from tests.engine.hand import make_clearing
from tests.engine.markets import (
    COUPLED,
    COUPLED_ANSWER,
    FAR_W,
    POWERED,
    POWERED_ANSWER,
    SHARED,
    SHARED_ANSWER,
)

SMALL = Size(hourly=400, blocks=100, volumes=30)


def test_a_seed_gives_one_book_plain_or_packed(tmp_path: Path) -> None:
    book = national_book(SMALL)
    write_national_book(SMALL, tmp_path / "plain")
    write_national_book(SMALL, tmp_path / "packed", packed=True)
    other = national_book(Size(hourly=400, blocks=100, volumes=30, seed=2))
    sums = [book_sha256(read_book(tmp_path / name)) for name in ("plain", "packed")]
    assert sums == [book_sha256(book)] * 2
    assert book_sha256(other) != sums[0]


def test_the_national_book_has_the_orders_and_limits_that_it_should() -> None:
    book = national_book(SMALL)
    kinds = np.bincount(book.bids.kind, minlength=3).tolist()
    assert [kinds[kind] for kind in (BidKind.HOURLY, BidKind.BLOCK, BidKind.VOLUME)] == [
        400,
        100,
        30,
    ]
    assert (len(book.regions), len(book.sites.names), len(book.accelerators.names)) == (10, 100, 8)
    assert (book.link_gbps_micros != UNLIMITED).all()
    assert (book.power_kw_micros != UNLIMITED).any(axis=1).sum() == 3
    assert book.min_domestic_share_micros
    assert (book.bids.group != NO_GROUP).any()
    assert len(np.unique(book.bids.latency_micros_max)) == 3
    assert np.diff(book.bids.region_start).any()
    assert book.bids.renewable_micros_min.any()


def test_the_plain_book_has_one_chip_and_no_limit() -> None:
    book = national_book(Size(hourly=400, blocks=100, volumes=0, plain=True))
    assert (len(book.regions), len(book.sites.names), len(book.accelerators.names)) == (10, 10, 1)
    assert (book.link_gbps_micros == UNLIMITED).all()
    assert (book.power_kw_micros == UNLIMITED).all()
    assert book.min_domestic_share_micros is None


def test_it_counts_the_limits_that_bind() -> None:
    coupled = count_binding(COUPLED, make_clearing(COUPLED, COUPLED_ANSWER))
    assert coupled["links_full"] == 1
    slack = count_binding(COUPLED, make_clearing(COUPLED, COUPLED_ANSWER.less(FAR_W)))
    assert slack["links_full"] == 0
    powered = count_binding(POWERED, make_clearing(POWERED, POWERED_ANSWER))
    assert (powered["regions_at_budget"], powered["hours_at_budget"]) == (1, 1)
    shared = count_binding(SHARED, make_clearing(SHARED, SHARED_ANSWER))
    assert (shared["domestic_share"], shared["share_price"]) == (0.5, 0.04)
