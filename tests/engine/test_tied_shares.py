"""The lots of a tie are dealt out pro rata, whatever rounding made of them."""

import numpy as np

from exchange.engine.market import lay_out_market
from exchange.engine.pieces import Pieces
from exchange.engine.tied_shares import TiedShares, misshared_ties
from tests.engine.test_clearing import small_book

OFFERS = ["o,hall,gpu,0,1,1,1", "p,shed,gpu,0,1,1,1"]
BIDS = [f"{name},hourly,here,{units},5,0,1,,,,0,,," for name, units in (("a", 2), ("b", 1))]


def shares(lots: list[int], pairs: list[int], rows: list[int]) -> list[TiedShares]:
    """What is to be dealt out anew, of pieces of the two tied bids."""
    market = lay_out_market(small_book(OFFERS, BIDS))
    pieces = Pieces(
        row=np.array(rows),
        arc=np.zeros(len(rows), dtype=np.int64),
        pair=np.array(pairs),
        fine=np.array(lots) * 1_000_000,
    )
    return list(misshared_ties(market, pieces, np.array(lots)))


def test_lots_of_one_cell_are_dealt_out_by_quantity_even_to_who_had_none() -> None:
    (tie,) = shares([30], [0], [1])
    assert (tie.arc, tie.pair) == (0, 0)
    assert (tie.rows.tolist(), tie.lots.tolist()) == ([0, 1], [20, 10])


def test_a_tie_that_is_shared_is_left_alone() -> None:
    assert shares([20, 10], [0, 0], [0, 1]) == []


def test_a_tie_that_is_served_whole_is_left_alone() -> None:
    assert shares([2_000, 1_000], [0, 0], [0, 1]) == []


def test_a_tie_over_two_cells_is_left_alone() -> None:
    assert shares([30, 10], [0, 1], [0, 1]) == []
