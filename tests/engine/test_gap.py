"""What makes the gap that a clearing leaves."""

import numpy as np
from hypothesis import given

from exchange.engine.book import BidKind, Book
from exchange.engine.clearing import clear
from exchange.engine.gap import gap_of
from tests.engine.hand import make_book
from tests.engine.strategies import small_books

RICH, POOR, LOW = (
    f"{name},block,here,{quantity},{price},0,1,1,,,0,,,"
    for name, quantity, price in (("rich", 2, 9), ("poor", 2, 5), ("low", 1, 2))
)


def hall(bids: list[str]) -> Book:
    """Three accelerators at 1 each, for one hour."""
    return make_book(
        {"periods": 1},
        regions=["here"],
        accelerators=["gpu,0,100,1000"],
        sites=["hall,here,1,0.2"],
        routes=["in,here,here,1,"],
        offers=["o,hall,gpu,0,1,3,1"],
        bids=bids,
        bid_accelerators=[f"{bid.split(',')[0]},gpu,1" for bid in bids],
    )


def test_a_block_left_out_for_want_of_room_makes_the_gap_by_what_its_seller_cannot_sell() -> None:
    book = hall([RICH, POOR])
    gap = gap_of(book, clear(book))
    # One accelerator stays idle: at the certificate's price of 5 it would earn its seller 4.
    assert gap.micros == gap.sellers_micros == 4_000_000
    assert gap.jobs_micros == 0
    assert [maker.name for maker in gap.makers] == ["poor"]


def test_a_block_put_in_where_another_does_not_fit_misses_what_the_certificate_would_take() -> None:
    book = hall([RICH, POOR, LOW])
    gap = gap_of(book, clear(book))
    # The third accelerator goes to a limit of 2 where the certificate's price is 5.
    assert gap.micros == gap.jobs_micros == 3_000_000
    assert [maker.name for maker in gap.makers] == ["poor"]


@given(book=small_books())
def test_the_parts_of_a_gap_are_never_negative_nor_more_than_the_gap(book: Book) -> None:
    gap = gap_of(book, clear(book))
    blocks = {str(book.bids.names[bid]) for bid in np.flatnonzero(book.bids.kind == BidKind.BLOCK)}
    assert {maker.name for maker in gap.makers} <= blocks
    assert gap.jobs_micros >= 0
    assert gap.sellers_micros >= 0
    assert gap.jobs_micros + gap.sellers_micros <= gap.micros


def test_what_was_sold_below_the_ask_at_the_certificates_prices_is_missed_too() -> None:
    """Two sellers in one hour; the dear one sells to a block that pays for all of it."""
    book = make_book(
        {"periods": 1},
        regions=["here"],
        accelerators=["gpu,0,100,1000"],
        sites=["hall,here,1,0.2"],
        routes=["in,here,here,1,"],
        offers=["dear,hall,gpu,0,1,1,6", "cheap,hall,gpu,0,1,3,1"],
        bids=["rich,block,here,4,4,0,1,1,,,0,,,", "thin,hourly,here,3,2,0,1,,,,0,,,"],
        bid_accelerators=["rich,gpu,1", "thin,gpu,1"],
    )
    clearing = clear(book)
    gap = gap_of(book, clearing)
    assert 0 <= gap.sellers_micros <= gap.micros == clearing.bound_micros - clearing.welfare_micros
    assert gap.jobs_micros + gap.sellers_micros <= gap.micros
