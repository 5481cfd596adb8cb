"""Clearing small books whose right answers are worked out by hand."""

import numpy as np
import pytest

from exchange.engine.audit import check
from exchange.engine.book import Book
from exchange.engine.clearing import clear
from exchange.engine.outcome import Clearing
from tests.engine.hand import make_book

SITES = ["hall,here,1,0.2", "shed,here,1,0.2"]


def small_book(
    offers: list[str], bids: list[str], *, periods: int = 1, **tables: list[str]
) -> Book:
    """One region with two sites and two accelerators; bids accept gpu at factor 1 unless told."""
    names = [bid.split(",")[0] for bid in bids]
    whole = {
        "regions": ["here"],
        "accelerators": ["gpu,0,100,1000", "npu,1,50,1000"],
        "sites": SITES,
        "routes": ["in,here,here,1,"],
        "bid_accelerators": [f"{name},gpu,1" for name in names],
    } | tables
    return make_book({"periods": periods}, offers=offers, bids=bids, **whole)


def cleared(book: Book) -> Clearing:
    """Clear, and hold the result to every promise."""
    clearing = clear(book)
    assert check(book, clearing).failures == ()
    return clearing


def bid_lots(book: Book, clearing: Clearing) -> dict[str, int]:
    """Lots of accelerators that each bid got."""
    fills = clearing.bid_fills
    lots = np.bincount(fills.bid, weights=fills.quantity_lots, minlength=len(book.bids.names))
    return {str(name): int(n) for name, n in zip(book.bids.names, lots, strict=True)}


def test_the_price_is_the_middle_between_the_last_ask_and_the_limit_that_it_serves() -> None:
    book = small_book(["o,hall,gpu,0,1,4,2"], ["b,hourly,here,4,8,0,1,,,,0,,,"])
    assert cleared(book).prices.cells_ticks.tolist() == [[5_000]]


def test_a_cell_that_sells_nothing_is_priced_at_its_lowest_ask() -> None:
    book = small_book(
        ["o1,hall,gpu,0,1,4,3", "o2,hall,gpu,0,1,4,2"], ["b,hourly,here,4,1,0,1,,,,0,,,"]
    )
    clearing = cleared(book)
    assert clearing.prices.cells_ticks.tolist() == [[2_000]]
    assert clearing.welfare_micros == 0


def test_bids_tied_at_the_price_share_pro_rata() -> None:
    book = small_book(
        ["o,hall,gpu,0,1,1,1"], ["a,hourly,here,2,5,0,1,,,,0,,,", "b,hourly,here,1,5,0,1,,,,0,,,"]
    )
    assert bid_lots(book, cleared(book)) == {"a": 667, "b": 333}


def test_offers_tied_at_the_price_share_pro_rata() -> None:
    book = small_book(
        ["o1,hall,gpu,0,1,2,1", "o2,hall,gpu,0,1,1,1"], ["a,hourly,here,1,5,0,1,,,,0,,,"]
    )
    assert cleared(book).offer_fills.quantity_lots.tolist() == [667, 333]


def test_a_gang_is_never_spread_over_two_sites() -> None:
    book = small_book(
        ["o1,hall,gpu,0,1,4,1", "o2,shed,gpu,0,1,4,1"], ["gang,block,here,6,9,0,1,1,,,0,,,"]
    )
    assert bid_lots(book, cleared(book)) == {"gang": 0}


def test_a_gang_starts_where_its_window_is_cheapest() -> None:
    book = small_book(
        ["o1,hall,gpu,0,2,4,3", "o2,hall,gpu,1,3,4,1"],
        ["gang,block,here,4,9,0,3,2,,,0,,,"],
        periods=3,
    )
    fills = cleared(book).bid_fills
    assert fills.period.tolist() == [1, 2]
    assert fills.quantity_lots.tolist() == [4_000, 4_000]


def test_of_a_group_only_the_best_alternative_is_accepted() -> None:
    book = small_book(
        ["o,hall,gpu,0,1,8,1"],
        ["big,block,here,8,3,0,1,1,,,0,job,,", "small,block,here,2,4,0,1,1,,,0,job,,"],
    )
    assert bid_lots(book, cleared(book)) == {"big": 8_000, "small": 0}


def test_a_block_that_would_lose_at_every_price_is_left_out() -> None:
    # Together they fit and are worth most, but no price serves the gang and the hourly bid both:
    # the last accelerator costs 9, which the gang cannot pay.
    book = small_book(
        ["o1,hall,gpu,0,1,2,1", "o2,hall,gpu,0,1,1,9"],
        ["gang,block,here,2,5,0,1,1,,,0,,,", "rush,hourly,here,1,20,0,1,,,,0,,,"],
    )
    assert bid_lots(book, cleared(book)) == {"gang": 0, "rush": 1_000}


def test_a_volume_bid_runs_in_its_cheapest_periods() -> None:
    book = small_book(
        ["o1,hall,gpu,0,1,2,5", "o2,hall,gpu,1,2,2,1", "o3,hall,gpu,2,3,2,3"],
        ["work,volume,here,2,9,0,3,,4,,0,,,"],
        periods=3,
    )
    fills = cleared(book).bid_fills
    assert fills.period.tolist() == [1, 2]


def test_a_full_link_has_a_price_and_its_rent_is_the_difference_of_the_regions() -> None:
    book = small_book(
        ["o,far,gpu,0,1,9,1"],
        ["b,hourly,here,9,5,0,1,,,,1,,,"],
        regions=["here", "there"],
        sites=["far,there,1,0"],
        routes=["in,here,here,1,", "out,here,there,1,wire"],
        links=["wire,,2"],
    )
    clearing = cleared(book)
    assert bid_lots(book, clearing) == {"b": 2_000}
    assert clearing.prices.cells_ticks.tolist() == [[1_000]]
    assert clearing.prices.links_ticks.tolist() == [[4_000]]


def test_a_power_budget_that_is_used_up_has_a_price() -> None:
    book = small_book(["o,hall,gpu,0,1,9,1"], ["b,hourly,here,9,5,0,1,,,,0,,,"], power=["here,0,2"])
    clearing = cleared(book)
    assert bid_lots(book, clearing) == {"b": 2_000}
    assert clearing.prices.power_ticks.tolist() == [[4_000]]


@pytest.mark.parametrize("seconds", [0.0, 30.0])
def test_a_deadline_still_gives_a_result_that_keeps_every_promise(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two sites, gangs that compete for them, and a book too large to be searched to its end."""
    monkeypatch.setattr("exchange.engine.search.SMALL_OPTIONS", 0)
    gangs = [f"g{n},block,here,{2 + n % 3},{4 + n % 5},0,4,{1 + n % 3},,,0,,," for n in range(12)]
    book = small_book(
        ["o,hall,gpu,0,4,5,2", "p,shed,gpu,0,4,4,1"],
        [*gangs, "b,hourly,here,4,6,0,4,,,,0,,,"],
        periods=4,
    )
    clearing = clear(book, seconds=seconds)
    found = check(book, clearing)
    assert found.failures == ()
    assert clearing.complete is (seconds > 0)
    assert 0 < clearing.welfare_micros <= clearing.bound_micros


def test_a_large_book_without_blocks_is_cleared_to_the_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A relaxation that may miss a little is only a bound; what is settled is exact."""
    monkeypatch.setattr("exchange.engine.convex.LARGE_COLUMNS", 0)
    monkeypatch.setattr("exchange.engine.convex.ENOUGH", 1.0)
    bids = [f"b{n:03},hourly,here,1,{n / 4:.2f},0,1,,,,0,,," for n in range(1, 301)]
    book = small_book(["o,hall,gpu,0,1,100,0"], bids)
    assert bid_lots(book, cleared(book)) == {f"b{n:03}": 1_000 * (n > 200) for n in range(1, 301)}


def test_a_book_without_bids_trades_nothing_at_its_asks() -> None:
    book = small_book(["o,hall,gpu,0,1,4,2"], [])
    clearing = cleared(book)
    assert clearing.prices.cells_ticks.tolist() == [[2_000]]
    assert clearing.bound_micros == 0


def test_a_book_without_offers_trades_nothing() -> None:
    book = small_book([], ["b,hourly,here,4,8,0,1,,,,0,,,"])
    assert cleared(book).welfare_micros == 0


def test_lots_lost_to_factors_are_made_up_so_that_sellers_get_their_due() -> None:
    book = small_book(
        ["o,hall,gpu,0,1,1,2"],
        ["b1,hourly,here,3,3.333,0,1,,,,0,,,", "b2,volume,here,0.001,5,0,1,,0.001,,0,,,"],
        bid_accelerators=["b1,gpu,0.333333", "b2,gpu,1.5"],
    )
    assert cleared(book).offer_fills.quantity_lots.tolist() == [1_000]


def test_the_domestic_share_is_kept_to_the_lot() -> None:
    book = make_book(
        {"periods": 1, "min_domestic_share": "0.3"},
        regions=["here"],
        accelerators=["gpu,0,312,0", "npu,1,100,0"],
        sites=SITES,
        routes=["in,here,here,1,"],
        offers=["o1,hall,gpu,0,1,0.5,1.5", "o2,hall,npu,0,1,8,3.333", "o3,shed,npu,0,1,0.5,0"],
        bids=["b1,hourly,here,3,2,0,1,,,,0,,,", "b2,hourly,here,4.25,1,0,1,,,,0,,,"],
        bid_accelerators=["b1,npu,1", "b1,gpu,0.3", "b2,npu,1"],
    )
    clearing = cleared(book)
    assert clearing.prices.domestic_share_nanos > 0
