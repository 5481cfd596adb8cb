"""The audit at its edges: what belongs to a clearing as a whole, and how far rounding may go."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from exchange.engine.audit import check
from exchange.engine.book import Book, Ints
from exchange.engine.outcome import Clearing
from tests.engine.hand import Answer, make_book, make_clearing
from tests.engine.markets import PLAIN, PLAIN_ANSWER


def change_fills(clearing: Clearing, **changes: Callable[[Ints], Ints]) -> Clearing:
    """Change columns of the bids' fills."""
    fills = clearing.bid_fills
    columns = {name: change(getattr(fills, name)) for name, change in changes.items()}
    return replace(clearing, bid_fills=replace(fills, **columns))


def change_proof(clearing: Clearing, **changes: object) -> Clearing:
    """Change certificate prices."""
    proof = replace(clearing.certificate, **changes)  # type: ignore[arg-type]
    return replace(clearing, certificate=proof)


def change_prices(clearing: Clearing, **changes: Ints) -> Clearing:
    """Change published prices."""
    return replace(clearing, prices=replace(clearing.prices, **changes))  # type: ignore[arg-type]


def cut_prices(clearing: Clearing) -> Clearing:
    """Leave out the prices of the last period."""
    prices = replace(clearing.prices, cells_ticks=clearing.prices.cells_ticks[:, :1])
    return replace(clearing, prices=prices)


BROKEN: tuple[tuple[str, str, Callable[[Clearing], Clearing]], ...] = (
    ("fill_unknown", "bid", lambda c: change_fills(c, bid=lambda a: a + 99)),
    ("fill_unknown", "route", lambda c: change_fills(c, route=lambda a: a - 9)),
    ("fill_not_positive", "bid_fills", lambda c: change_fills(c, quantity_lots=lambda a: a * 0)),
    ("fill_unsorted", "bid_fills", lambda c: change_fills(c, bid=lambda a: a[::-1])),
    ("fill_repeated", "bid_fills", lambda c: change_fills(c, period=lambda a: a * 0)),
    ("prices_misshapen", "prices", cut_prices),
    (
        "price_out_of_range",
        "cells",
        lambda c: change_prices(c, cells_ticks=c.prices.cells_ticks + 10**9),
    ),
    (
        "price_out_of_range",
        "power",
        lambda c: change_prices(c, power_ticks=c.prices.power_ticks + 10**12),
    ),
    ("welfare_wrong", "welfare", lambda c: replace(c, welfare_micros=c.welfare_micros + 1)),
    ("welfare_wrong", "welfare", lambda c: replace(c, welfare_micros=c.welfare_micros - 1)),
    ("bound_not_proved", "bound", lambda c: replace(c, bound_micros=c.bound_micros - 1)),
    (
        "certificate_invalid",
        "certificate cells",
        lambda c: change_proof(c, cells=c.certificate.cells * np.nan),
    ),
    (
        "certificate_invalid",
        "certificate power",
        lambda c: change_proof(c, power=c.certificate.power + 1),
    ),
    (
        "certificate_invalid",
        "certificate domestic share",
        lambda c: change_proof(c, domestic_share=0.1),
    ),
)


@pytest.mark.parametrize(("code", "where", "spoil"), BROKEN)
def test_it_names_what_is_wrong_with_a_clearing_as_a_whole(
    code: str, where: str, spoil: Callable[[Clearing], Clearing]
) -> None:
    found = check(PLAIN, spoil(make_clearing(PLAIN, PLAIN_ANSWER)))
    assert (code, where) in {(failure.code, failure.where) for failure in found.failures}


def test_a_welfare_published_to_the_micro_unit_is_right() -> None:
    clearing = make_clearing(PLAIN, PLAIN_ANSWER)
    less = replace(clearing, welfare_micros=clearing.welfare_micros - Fraction(1, 2))
    assert check(PLAIN, less).is_clean


def test_a_bound_above_the_proof_is_no_lie() -> None:
    clearing = make_clearing(PLAIN, PLAIN_ANSWER)
    assert check(PLAIN, replace(clearing, bound_micros=clearing.bound_micros + 1)).is_clean


def test_any_certificate_proves_a_bound_that_no_answer_passes() -> None:
    clearing = make_clearing(PLAIN, PLAIN_ANSWER)
    for cells in (0.0, 1.5, 1e300, -4.0):
        odd = change_proof(clearing, cells=np.full_like(clearing.certificate.cells, cells))
        assert check(PLAIN, odd).bound_micros >= clearing.welfare_micros


def hall(
    *bids: str, offer: str = "o,hall,gpu,0,3,10,1", periods: int = 3, factor: str = "1"
) -> Book:
    """Give a book for one site with one offer."""
    return make_book(
        {"periods": periods},
        regions=["here"],
        accelerators=["gpu,0,100,0"],
        sites=["hall,here,1,0"],
        routes=["in,here,here,1,"],
        offers=[offer],
        bids=list(bids),
        bid_accelerators=[f"{bid.split(',')[0]},gpu,{factor}" for bid in bids],
    )


PRICE_ONE = {("hall", "gpu", period): "1" for period in range(3)}


def test_it_names_a_cell_priced_without_an_offer() -> None:
    book = hall(offer="o,hall,gpu,0,2,1,1")
    clearing = make_clearing(book, Answer(cells=PRICE_ONE, bids=[], offers=[]))
    [failure] = check(book, clearing).failures
    assert (failure.code, failure.where) == ("price_without_offer", "hall gpu period 2")


def test_it_names_a_block_that_runs_with_a_gap() -> None:
    book = hall("gang,block,here,2,6,0,3,2,,,0,,,")
    fills = [("gang", "hall", "gpu", period, "in", "2") for period in (0, 2)]
    answer = Answer(cells=PRICE_ONE, bids=fills, offers=[("o", 0, "2"), ("o", 2, "2")])
    [failure] = check(book, make_clearing(book, answer)).failures
    assert (failure.code, failure.where) == ("block_with_gap", "bid gang")


def test_it_names_rejected_winners_and_adds_up_the_regret() -> None:
    book = hall(
        "a,block,here,2,6,0,3,2,,,0,job,,",
        "b,block,here,4,6,0,3,2,,,0,job,,",
        "c,block,here,1,2,0,3,3,,,0,,,",
    )
    fills = [("a", "hall", "gpu", period, "in", "2") for period in (0, 1)]
    answer = Answer(cells=PRICE_ONE, bids=fills, offers=[("o", 0, "2"), ("o", 1, "2")])
    found = check(book, make_clearing(book, answer))
    assert found.is_clean
    assert found.rejected_winners == ("b", "c")
    assert found.regret_micros == (4 * 2 * 5 - 2 * 2 * 5 + 1 * 3 * 1) * 1_000_000
    assert found.bound_micros == found.welfare_micros + found.regret_micros


@pytest.mark.parametrize(("price", "loses"), [("6.001", False), ("6.002", True)])
def test_a_block_may_lose_what_one_tick_of_its_prices_makes_and_no_more(
    price: str, *, loses: bool
) -> None:
    book = hall("a,block,here,2,6,0,3,2,,,0,,,", offer="o,hall,gpu,0,3,2,1")
    fills = [("a", "hall", "gpu", period, "in", "2") for period in (0, 1)]
    cells = {**PRICE_ONE, ("hall", "gpu", 0): price, ("hall", "gpu", 1): price}
    answer = Answer(cells=cells, bids=fills, offers=[("o", 0, "2"), ("o", 1, "2")])
    assert ("block_loses" in check(book, make_clearing(book, answer)).counts) is loses


@pytest.mark.parametrize(
    ("lots", "codes"),
    [("0.333", set()), ("0.334", {"bid_over_quantity"}), ("0.332", {"bid_left_short"})],
)
def test_whole_means_less_than_one_lot_short(lots: str, codes: set[str]) -> None:
    book = hall(
        "b,hourly,here,1,1,0,1,,,,0,,,",
        offer="o,hall,gpu,0,1,8,1",
        periods=1,
        factor="0.333333",
    )
    fills = [("b", "hall", "gpu", 0, "in", lots)]
    answer = Answer(cells={("hall", "gpu", 0): "1"}, bids=fills, offers=[("o", 0, lots)])
    assert set(check(book, make_clearing(book, answer)).counts) == codes


@pytest.mark.parametrize(("limit", "loses"), [("0.333", False), ("0.332", True)])
def test_a_limit_is_per_unit_and_a_price_per_accelerator(limit: str, *, loses: bool) -> None:
    book = hall(
        f"b,hourly,here,9,{limit},0,1,,,,0,,,",
        offer="o,hall,gpu,0,1,8,1",
        periods=1,
        factor="0.333333",
    )
    fills = [("b", "hall", "gpu", 0, "in", "2")]
    answer = Answer(cells={("hall", "gpu", 0): "1"}, bids=fills, offers=[("o", 0, "2")])
    assert ("bid_loses" in check(book, make_clearing(book, answer)).counts) is loses


def test_a_share_price_may_push_an_unsold_domestic_cell_below_minus_the_cap() -> None:
    # The foreign chip gets 10 - 30 x 1 x 0.3 = 1, its ask; the domestic one, which nobody but one
    # small bid takes, gets -6,719 + 30 x 320 x 0.7 = 1. No other prices support that.
    book = make_book(
        {"periods": 1, "min_domestic_share": "0.3"},
        regions=["here"],
        accelerators=["gpu,0,1,0", "npu,1,320,0"],
        sites=["hall,here,1,0"],
        routes=["in,here,here,1,"],
        offers=["og,hall,gpu,0,1,999,1", "on,hall,npu,0,1,9,1"],
        bids=["some,hourly,here,800,10,0,1,,,,0,,,", "one,hourly,here,1,10,0,1,,,,0,,,"],
        bid_accelerators=["some,gpu,1", "one,npu,1"],
    )
    answer = Answer(
        cells={("hall", "gpu", 0): "10", ("hall", "npu", 0): "-6719"},
        bids=[("some", "hall", "gpu", 0, "in", "746.666"), ("one", "hall", "npu", 0, "in", "1")],
        offers=[("og", 0, "746.666"), ("on", 0, "1")],
        share="30",
    )
    assert check(book, make_clearing(book, answer)).is_clean
    lower = replace(answer, cells={("hall", "gpu", 0): "10", ("hall", "npu", 0): "-6719.002"})
    assert set(check(book, make_clearing(book, lower)).counts) == {"price_negative", "offer_loses"}
