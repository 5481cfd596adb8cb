"""What one more bid would have got, held against clearing the book again with it."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from exchange.engine.board import Board, board_of
from exchange.engine.book import MICROS, UNLIMITED, BidKind, Book
from exchange.engine.clearing import clear
from exchange.engine.nearest import nearest_changes
from exchange.engine.outcome import Clearing
from exchange.engine.shapes import Answer, Outcome, Shape
from exchange.engine.what_if import ask
from tests.engine.hand import make_book
from tests.engine.markets import COUPLED, PLAIN, POWERED, SHARED
from tests.engine.strategies import Draft, drafts

NEW = "zz-new"
EXAMPLES = 500 if os.environ.get("HYPOTHESIS_PROFILE") == "faults" else 20
FACTORS = ("1", "0.3", "2")


def board(book: Book) -> Board:
    return board_of(book, clear(book))


def hourly(quantity: int, price: int, **more: object) -> Shape:
    """Ask for whole units at a whole price in the first period."""
    terms = {"kind": BidKind.HOURLY, "origin": "here", "first": 0, "end": 1}
    terms |= {"quantity_lots": quantity * 1_000, "price_ticks": price * 1_000}
    return Shape(**(terms | {"factors_micros": {"gpu": MICROS}} | more))  # type: ignore[arg-type]


def test_room_at_the_price_fills_a_bid_at_it() -> None:
    answer = ask(board(PLAIN), hourly(2, 4))
    assert (answer.outcome, answer.moves_prices) == (Outcome.FILLED, False)
    assert (answer.average, answer.needed_ticks) == (3 * 10**9, 3_000)
    [place] = answer.placements
    assert (place.site, place.route, place.first, place.end) == ("hall", "in", 0, 1)
    assert (place.accelerator, place.unit_lots) == ("gpu", 2_000)


def test_a_limit_below_the_price_is_outbid_and_told_the_limit_that_would_do() -> None:
    answer = ask(board(PLAIN), hourly(2, 2))
    assert (answer.outcome, answer.filled_lots, answer.placements) == (Outcome.OUTBID, 0, ())
    assert (answer.cheapest, answer.needed_ticks) == (3 * 10**9, 3_000)


def test_more_than_was_left_takes_it_from_whoever_bid_least() -> None:
    # Two of the six at 3 are left; the volume bid would give up its two for 8 each.
    answer = ask(board(PLAIN), hourly(3, 9))
    assert (answer.outcome, answer.moves_prices) == (Outcome.FILLED, True)
    assert (answer.average, answer.needed_ticks) == (8 * 10**9, 8_000)
    short = ask(board(PLAIN), hourly(3, 7))
    assert (short.outcome, short.filled_lots) == (Outcome.PARTLY_FILLED, 2_000)
    assert ask(board(PLAIN), hourly(30, 90)).needed_ticks is None


def test_a_gang_is_told_its_site_and_start() -> None:
    gang = hourly(5, 9, kind=BidKind.BLOCK, end=2, duration=1)
    answer = ask(board(PLAIN), replace(gang, price_ticks=10_000))
    assert (answer.outcome, answer.moves_prices) == (Outcome.FILLED, True)
    [place] = answer.placements
    assert (place.site, place.first, place.end, answer.needed_ticks) == ("hall", 1, 2, 9_000)
    small = ask(board(PLAIN), replace(gang, quantity_lots=2_000))
    assert (small.outcome, small.moves_prices, small.average) == (Outcome.FILLED, False, 3 * 10**9)
    assert ask(board(PLAIN), replace(gang, quantity_lots=20_000)).outcome == Outcome.UNREACHABLE


def test_a_full_link_is_paid_for_and_gives_no_room() -> None:
    far = hourly(1, 30, origin="east", gbps_micros=100_000)
    answer = ask(board(COUPLED), replace(far, regions=frozenset({"west"})))
    assert answer.cheapest == 10 * 10**9  # 2, and 80 a Gbps
    assert (answer.outcome, answer.needed_ticks) == (Outcome.SOLD_OUT, None)
    assert ask(board(COUPLED), replace(far, gbps_micros=0)).average == 2 * 10**9


def test_used_up_power_leaves_only_what_others_give_up() -> None:
    answer = ask(board(POWERED), hourly(1, 11))
    assert (answer.outcome, answer.moves_prices, answer.needed_ticks) == (
        Outcome.FILLED,
        True,
        10_000,
    )
    assert ask(board(POWERED), hourly(3, 11)).outcome == Outcome.PARTLY_FILLED


def test_foreign_capacity_that_the_policy_keeps_back_is_no_room() -> None:
    assert ask(board(SHARED), hourly(3, 11)).filled_lots == 2_000
    domestic = ask(board(SHARED), hourly(3, 11, factors_micros={"npu": MICROS}))
    assert (domestic.outcome, domestic.needed_ticks) == (Outcome.FILLED, 6_000)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "nowhere"},
        {"factors_micros": {"abacus": MICROS}},
        {"regions": frozenset({"there"})},
        {"renewable_micros_min": 900_000},
        {"latency_micros_max": 1},
    ],
)
def test_what_no_offer_can_be_is_unreachable(change: dict[str, object]) -> None:
    answer = ask(board(PLAIN), hourly(1, 90, **change))
    assert answer.outcome == Outcome.UNREACHABLE
    assert (answer.cheapest, answer.needed_ticks) == (None, None)


def test_the_nearest_changes_each_fill_the_bid_alone() -> None:
    gang = hourly(5, 9, kind=BidKind.BLOCK, end=1, duration=1)
    found = {change.field: change for change in nearest_changes(board(PLAIN), gang)}
    assert all(change.answer.outcome == Outcome.FILLED for change in found.values())
    assert found["limit_price"].shape.price_ticks == 10_000
    assert found["quantity"].shape.quantity_lots == 4_000
    assert (found["window"].shape.first, found["window"].shape.end) == (1, 2)
    assert "accelerators" not in found  # nobody offers the other chip


def test_changes_look_for_another_region_chip_route_or_green_share() -> None:
    here = hourly(1, 9, factors_micros={"gpu": MICROS, "npu": MICROS}, renewable_micros_min=900_000)
    found = {change.field: change.shape for change in nearest_changes(board(PLAIN), here)}
    assert found["renewable_share_min"].renewable_micros_min == 200_000
    far = hourly(1, 5, origin="east", latency_micros_max=1_000_000, regions=frozenset({"east"}))
    near = {change.field for change in nearest_changes(board(COUPLED), far)}
    assert near == {"limit_price"}  # the way west is longer than the bound
    west = {c.field for c in nearest_changes(board(COUPLED), replace(far, latency_micros_max=-1))}
    assert west == {"limit_price", "regions"}
    dear = hourly(1, 5)
    chips = {change.field: change for change in nearest_changes(board(SHARED), dear)}
    assert chips["limit_price"].shape.price_ticks == 10_000


def test_a_book_in_which_nothing_was_sold_answers_from_its_asks() -> None:
    book = make_book(
        {"periods": 3},
        regions=["here"],
        accelerators=["gpu,0,100,0"],
        sites=["hall,here,1,0.2"],
        routes=["in,here,here,1,"],
        offers=["o,hall,gpu,0,3,4,5"],
    )
    work = hourly(2, 6, kind=BidKind.VOLUME, end=3, volume_lots=5_000)
    answer = ask(board(book), work)
    assert (answer.outcome, answer.average, answer.filled_lots) == (
        Outcome.FILLED,
        5 * 10**9,
        5_000,
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Draft, dict[str, str]]:
    """Draw a book and the row of one more bid."""
    draft = draw(drafts(bids_max=5))
    periods = int(str(draft.head["periods"]))
    first = draw(st.integers(0, periods - 1))
    kind = draw(st.sampled_from(("hourly", "volume", "block")))
    duration = draw(st.integers(1, periods - first))
    quantity = draw(st.sampled_from(("1", "2")))
    regions = [row[0] for row in draft.rows["regions.csv"]]
    return draft, {
        "bid": NEW,
        "kind": kind,
        "origin": draw(st.sampled_from(regions)),
        "quantity": quantity,
        "price": draw(st.sampled_from(("1", "2.5", "4", "7.5", "12"))),
        "first": str(first),
        "end": str(draw(st.integers(first + duration, periods))),
        "duration": str(duration) if kind == "block" else "",
        "volume": quantity if kind == "volume" else "",
        "max_latency_ms": draw(st.sampled_from(("", "9"))),
        "gbps": draw(st.sampled_from(("0", "0.1"))),
        "group": "",
        "regions": "",
        "renewable_min": draw(st.sampled_from(("", "0.5"))),
        "chip": draw(st.sampled_from(("a0", "a1"))),
        "factor": draw(st.sampled_from(FACTORS)),
    }


def with_bid(draft: Draft, row: dict[str, str]) -> Book:
    """Read the book with one more bid."""
    chosen = {**draft.rows}
    bid = tuple(value for name, value in row.items() if name not in ("chip", "factor"))
    chosen["bids.csv"] = [*draft.rows["bids.csv"], bid]
    choice = (NEW, row["chip"], row["factor"])
    chosen["bid_accelerators.csv"] = [*draft.rows["bid_accelerators.csv"], choice]
    return Draft(draft.head, chosen).book()


def shape_of(book: Book) -> Shape:
    """Give the new bid of a book as a question."""
    bids, [row] = book.bids, np.flatnonzero(book.bids.names == NEW)
    choice = slice(bids.choice_start[row], bids.choice_start[row + 1])
    chips = book.accelerators.names[bids.choice_accelerator[choice]].tolist()
    return Shape(
        kind=BidKind(int(bids.kind[row])),
        origin=str(book.regions[bids.origin[row]]),
        quantity_lots=int(bids.quantity_lots[row]),
        price_ticks=int(bids.price_ticks[row]),
        first=int(bids.first[row]),
        end=int(bids.end[row]),
        duration=int(bids.duration[row]),
        volume_lots=int(bids.volume_lots[row]),
        latency_micros_max=int(bids.latency_micros_max[row]),
        gbps_micros=int(bids.gbps_micros[row]),
        renewable_micros_min=int(bids.renewable_micros_min[row]),
        factors_micros=dict(zip(chips, bids.choice_factor_micros[choice].tolist(), strict=True)),
    )


def got_of(book: Book, clearing: Clearing) -> tuple[int, int]:
    """Give the lots of accelerators that the new bid got, and in how many cells."""
    [row] = np.flatnonzero(book.bids.names == NEW)
    mine = clearing.bid_fills.bid == row
    return int(clearing.bid_fills.quantity_lots[mine].sum()), int(mine.sum())


def asked_again(question: tuple[Draft, dict[str, str]]) -> tuple[Answer, Book, Clearing, Shape]:
    """Ask, and clear the book again with the bid."""
    draft, row = question
    whole = with_bid(draft, row)
    before = draft.book()
    shape = shape_of(whole)
    return ask(board_of(before, clear(before)), shape), whole, clear(whole), shape


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.filter_too_much])
@given(question=questions())
def test_a_bid_that_gains_and_moves_no_price_is_filled_when_the_book_is_cleared_with_it(
    question: tuple[Draft, dict[str, str]],
) -> None:
    answer, book, clearing, shape = asked_again(question)
    limit = shape.price_ticks * MICROS
    assume(answer.outcome == Outcome.FILLED and not answer.moves_prices)
    assert answer.average is not None
    assume(max(place.unit_cost for place in answer.placements) < limit)
    lots, cells = got_of(book, clearing)
    [factor] = shape.factors_micros.values()
    if (book.bids.kind == BidKind.BLOCK).any():
        assert lots > 0
    else:
        due = shape.wanted_lots * factor // MICROS
        assert lots >= due - max(cells, 1) * max(1, -(-factor // MICROS))


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.filter_too_much])
@given(question=questions())
def test_a_bid_that_would_take_from_others_gets_its_part_when_the_book_has_no_block(
    question: tuple[Draft, dict[str, str]],
) -> None:
    draft, row = question
    assume(row["kind"] != "block" and all(bid[1] != "block" for bid in draft.rows["bids.csv"]))
    answer, book, clearing, shape = asked_again(question)
    assume(answer.filled_lots > 0)
    assume(answer.needed_ticks is not None and answer.needed_ticks < shape.price_ticks)
    assert got_of(book, clearing)[0] > 0


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.filter_too_much])
@given(question=questions())
def test_a_divisible_bid_below_every_price_gets_nothing_when_the_book_has_no_block(
    question: tuple[Draft, dict[str, str]],
) -> None:
    draft, row = question
    assume(row["kind"] != "block" and all(bid[1] != "block" for bid in draft.rows["bids.csv"]))
    answer, book, clearing, shape = asked_again(question)
    assume(answer.outcome in (Outcome.OUTBID, Outcome.UNREACHABLE))
    assume(answer.cheapest is None or answer.cheapest > shape.price_ticks * MICROS * 1.01 + 10**7)
    assert got_of(book, clearing)[0] == 0


def test_no_bound_is_told_from_a_bound() -> None:
    assert hourly(1, 1).latency_micros_max == UNLIMITED
