"""Small random books: what is cleared keeps every promise and stands up to the reference."""

import os

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from exchange.engine.audit import check
from exchange.engine.book import Book
from exchange.engine.clearing import clear
from exchange.engine.reference import best_welfare
from tests.engine.strategies import Draft, drafts
from tests.engine.test_files import same, shuffled

CHUNKS = 10
# 2,000 books in the suite, 10,000 where faults are looked for.
BOOKS_PER_CHUNK = 1_000 if os.environ.get("HYPOTHESIS_PROFILE") == "faults" else 200
DEAREST_MICROS = 10 / 0.3 * 1_000_000  # the greatest limit of the strategies over the least factor


def lots_slack(book: Book, fills: int) -> float:
    """Give the welfare that whole lots can explain: one lot of the dearest per fill and order."""
    lots = fills + len(book.bids.names) * book.periods
    return lots * 0.001 * DEAREST_MICROS * book.period_minutes / 60


def check_against_reference(book: Book) -> None:
    """Clear a book, audit the clearing, and hold it against the best there is."""
    clearing = clear(book)
    audit = check(book, clearing)
    assert audit.failures == ()
    best = best_welfare(book)
    slack = lots_slack(book, len(clearing.bid_fills.bid))
    welfare = float(audit.welfare_micros)
    assert welfare <= best.welfare + 1e-6 * abs(best.welfare) + 1
    assert welfare >= best.welfare - slack
    assert audit.bound_micros >= best.free_welfare - 1e-6 * abs(best.free_welfare) - 1
    assert clearing.complete


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_books_clear_as_well_as_the_reference_and_keep_every_promise(chunk: int) -> None:
    examine = settings(max_examples=BOOKS_PER_CHUNK)(
        given(book=drafts().map(Draft.book))(check_against_reference)
    )
    seed(chunk)(examine)()


@settings(max_examples=50)
@given(draft=drafts(), order=st.integers(0, 9))
def test_rows_in_another_order_clear_to_the_same_result(draft: Draft, order: int) -> None:
    assert same(clear(draft.book()), clear(shuffled(draft, order).book()))
