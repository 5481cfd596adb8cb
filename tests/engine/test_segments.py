"""Long ladders in a few segments: never worth more than their steps, exact where they are cut."""

import numpy as np
import pytest

from exchange.engine.book import LOTS_PER_UNIT, TICKS_PER_UNIT
from exchange.engine.convex import Convex
from exchange.engine.market import Market, lay_out_market
from exchange.engine.segments import SHORT, Segments
from tests.engine.test_clearing import bid_lots, cleared, small_book

STEPS = 10 * SHORT


def long_market(supply: int) -> Market:
    """Bids of one accelerator at limits a quarter, two quarters, ...; so much is offered at 0."""
    bids = [f"b{n:04},hourly,here,1,{n / 4:.2f},0,1,,,,0,,," for n in range(1, STEPS + 1)]
    return lay_out_market(small_book([f"o,hall,gpu,0,1,{supply},0"], bids))


def test_a_long_ladder_begins_as_a_few_segments_that_hold_every_unit_once() -> None:
    market = long_market(7)
    segments = Segments(market)
    assert len(segments) < SHORT
    columns = segments.columns(np.arange(len(segments)))
    assert columns.upper.sum() == STEPS
    money = float((columns.upper * columns.cost).sum())
    assert money == pytest.approx(-sum(range(1, STEPS + 1)) / 4)


@pytest.mark.parametrize("supply", [1, 7, 100, STEPS - 1, STEPS])
def test_the_relaxation_takes_the_best_steps_whatever_the_segments(supply: int) -> None:
    market = long_market(supply)
    found = Convex(market).relax()
    best = sum(range(STEPS - supply + 1, STEPS + 1)) / 4
    assert found.welfare == pytest.approx(best)
    prices = market.demand.ladders.step_ticks / TICKS_PER_UNIT
    full = market.demand.ladders.step_lots / LOTS_PER_UNIT
    assert found.steps == pytest.approx(np.where(4 * prices > STEPS - supply, full, 0.0))


def test_segments_that_a_large_relaxation_leaves_whole_are_in_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Large ones end while some segment still holds a price: it may not vanish from the answer."""
    monkeypatch.setattr("exchange.engine.convex.LARGE_COLUMNS", 0)
    monkeypatch.setattr("exchange.engine.convex.ENOUGH", 1.0)
    market = long_market(100)
    convex = Convex(market)
    rough = convex.relax()
    assert rough.steps.sum() == pytest.approx(100)
    exact = convex.solve_with(np.zeros(0, dtype=np.int64))
    assert exact.welfare == pytest.approx(sum(range(STEPS - 99, STEPS + 1)) / 4)
    assert exact.steps.sum() == pytest.approx(100)


def test_a_book_with_a_long_ladder_is_cleared_to_the_last_bid() -> None:
    bids = [f"b{n:04},hourly,here,1,{n / 4:.2f},0,1,,,,0,,," for n in range(1, STEPS + 1)]
    book = small_book(["o,hall,gpu,0,1,100,0"], bids)
    got = bid_lots(book, cleared(book))
    assert {name for name, lots in got.items() if lots} == {
        f"b{n:04}" for n in range(STEPS - 99, STEPS + 1)
    }
