"""The reference is right where right can be known, and its two ways agree."""

import pytest
from hypothesis import given, settings

from exchange.engine.book import Book
from exchange.engine.reference import Reference, best_by_enumeration, best_welfare
from tests.engine.hand import make_book
from tests.engine.markets import RIGHT
from tests.engine.strategies import tiny_books

UNIT = 1_000_000


def agree(left: float, right: float) -> bool:
    """Whether two welfares are equal but for the solver's tolerances."""
    return abs(left - right) <= 1e-6 * max(UNIT, abs(left), abs(right))


@pytest.mark.parametrize(("book", "welfare"), [(book, welfare) for book, _, welfare in RIGHT])
def test_it_finds_the_best_of_markets_worked_out_by_hand(book: Book, welfare: int) -> None:
    for found in (best_by_enumeration(book), best_welfare(book)):
        assert agree(found.welfare, welfare * UNIT)
        assert agree(found.free_welfare, welfare * UNIT)
        assert agree(found.bound, welfare * UNIT)


def one_hour(*bids: str, offers: str = "10,1") -> Book:
    """Give a book of bids for ten accelerators in one hour."""
    return make_book(
        {"periods": 1},
        regions=["here"],
        accelerators=["gpu,0,100,0"],
        sites=["hall,here,1,0"],
        routes=["in,here,here,1,"],
        offers=[f"o,hall,gpu,0,1,{offers}"],
        bids=list(bids),
        bid_accelerators=[f"{bid.split(',')[0]},gpu,1" for bid in bids],
    )


# Ten at 1. The gang of eight at 4 and two of the three at 10 make the most, 42; but then the price
# is 10, and the gang loses. Without the gang the three make 27, and nobody loses.
AT_ODDS = one_hour("gang,block,here,8,4,0,1,1,,,0,,,", "few,hourly,here,3,10,0,1,,,,0,,,")


def test_it_gives_up_welfare_so_that_no_accepted_block_loses() -> None:
    for found in (best_by_enumeration(AT_ODDS), best_welfare(AT_ODDS)):
        assert agree(found.free_welfare, 42 * UNIT)
        assert agree(found.welfare, 27 * UNIT)
        assert agree(found.bound, 27 * UNIT)


def test_it_gives_up_no_more_than_it_must() -> None:
    # The smaller gang leaves room for the three: it stays, though the larger one would not.
    book = one_hour(
        "gang,block,here,8,4,0,1,1,,,0,job,,",
        "part,block,here,7,3.5,0,1,1,,,0,job,,",
        "few,hourly,here,3,10,0,1,,,,0,,,",
    )
    for found in (best_by_enumeration(book), best_welfare(book)):
        assert agree(found.free_welfare, (27 + 17.5) * UNIT)
        assert agree(found.welfare, (27 + 17.5) * UNIT)


def test_a_block_takes_whole_accelerators_only() -> None:
    # Five units at a factor of 1.5 take eight, and they are worth what five units are.
    book = make_book(
        {"periods": 2},
        regions=["here"],
        accelerators=["gpu,0,100,0"],
        sites=["hall,here,1,0"],
        routes=["in,here,here,1,"],
        offers=["o,hall,gpu,0,2,8,1"],
        bids=["gang,block,here,5,3,0,2,2,,,0,,,"],
        bid_accelerators=["gang,gpu,1.5"],
    )
    assert agree(best_welfare(book).welfare, 2 * (5 * 3 - 8) * UNIT)


def test_it_refuses_to_try_too_many_sets() -> None:
    bids = [f"b{name},block,here,1,4,0,1,1,,,0,,," for name in range(20)]
    with pytest.raises(ValueError, match="sets of options"):
        best_by_enumeration(one_hour(*bids))


def test_a_search_cut_short_gives_what_it_found_and_a_bound() -> None:
    found = best_welfare(AT_ODDS, seconds=0.0)
    assert 0 <= found.welfare <= 27.001 * UNIT
    assert found.bound >= 26.999 * UNIT


@settings(max_examples=60)
@given(book=tiny_books())
def test_searching_with_cuts_finds_what_trying_every_set_finds(book: Book) -> None:
    tried, searched = best_by_enumeration(book), best_welfare(book)
    assert agree(tried.welfare, searched.welfare)
    assert agree(tried.free_welfare, searched.free_welfare)
    assert agree(searched.bound, searched.welfare)
    assert agree(searched.free_bound, searched.free_welfare)
    assert is_ordered(searched)


def is_ordered(found: Reference) -> bool:
    """Whether no value passes its bound, and the rule costs and never gains."""
    slack = 1.0
    return found.welfare <= found.free_welfare + slack and found.welfare <= found.bound + slack
