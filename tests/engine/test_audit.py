"""The audit passes right results and names every broken promise.

Each test plants one error in the right answer of a small market.
"""

import pytest

from exchange.engine.audit import Audit, check
from exchange.engine.book import Book
from tests.engine.hand import Answer, make_clearing
from tests.engine.markets import (
    COUPLED,
    COUPLED_ANSWER,
    FAR_W,
    GANG0,
    GANG1,
    HOUR0,
    NEAR,
    PLAIN,
    PLAIN_ANSWER,
    POWERED,
    POWERED_ANSWER,
    RIGHT,
    SHARED,
    SHARED_ANSWER,
    WORK0,
)


def audit(book: Book, answer: Answer) -> Audit:
    """Audit an answer."""
    return check(book, make_clearing(book, answer))


@pytest.mark.parametrize(("book", "answer", "welfare"), RIGHT)
def test_a_right_answer_keeps_every_promise_and_proves_itself_best(
    book: Book, answer: Answer, welfare: int
) -> None:
    found = audit(book, answer)
    assert found.failures == ()
    assert found.is_clean
    assert found.regret_micros == 0
    assert found.rejected_winners == ()
    assert found.welfare_micros == found.bound_micros == welfare * 1_000_000
    assert found.gap == 0


PLANTED: tuple[tuple[str, str, Book, Answer], ...] = (
    ("supply_not_demand", "hall gpu period 0", PLAIN, PLAIN_ANSWER.less(WORK0)),
    (
        "supply_not_demand",
        "hall gpu period 0",
        PLAIN,
        PLAIN_ANSWER.less(("o2", 0, "2")).plus(("o2", 0, "1.999")),
    ),
    (
        "cell_without_offer",
        "bid work at shed gpu period 0 over in",
        PLAIN,
        PLAIN_ANSWER.less(WORK0).plus(("work", "shed", "gpu", 0, "in", "2")),
    ),
    ("offer_outside_window", "offer o4 period 0", PLAIN, PLAIN_ANSWER.plus(("o4", 0, "1"))),
    (
        "offer_over_quantity",
        "offer o1 period 0",
        PLAIN,
        PLAIN_ANSWER.less(("o1", 0, "4")).plus(("o1", 0, "4.001")),
    ),
    (
        "offer_left_short",
        "offer o1 period 0",
        PLAIN,
        PLAIN_ANSWER.less(("o1", 0, "4")).plus(("o1", 0, "3.999")),
    ),
    ("offer_loses", "offer o4 period 1", PLAIN, PLAIN_ANSWER.plus(("o4", 1, "0.001"))),
    (
        "offer_loses",
        "offer o2 period 1",
        PLAIN,
        PLAIN_ANSWER.priced(cells={("hall", "gpu", 1): "2.998"}),
    ),
    (
        "tie_not_pro_rata",
        "offer o2 period 0",
        PLAIN,
        PLAIN_ANSWER.less(("o2", 0, "2"), ("o3", 0, "2")).plus(
            ("o2", 0, "2.001"), ("o3", 0, "1.999")
        ),
    ),
    (
        "bid_over_quantity",
        "bid hour period 0",
        PLAIN,
        PLAIN_ANSWER.less(HOUR0).plus(("hour", "hall", "gpu", 0, "in", "4.001")),
    ),
    (
        "bid_over_volume",
        "bid work",
        PLAIN,
        PLAIN_ANSWER.plus(("work", "hall", "gpu", 1, "in", "0.001")),
    ),
    (
        "bid_left_short",
        "bid hour period 0",
        PLAIN,
        PLAIN_ANSWER.less(HOUR0).plus(("hour", "hall", "gpu", 0, "in", "3.999")),
    ),
    (
        "bid_left_short",
        "bid work",
        PLAIN,
        PLAIN_ANSWER.less(WORK0).plus(("work", "hall", "gpu", 0, "in", "1.999")),
    ),
    (
        "volume_not_cheapest",
        "bid work",
        PLAIN,
        PLAIN_ANSWER.priced(cells={("hall", "gpu", 1): "2.998"}),
    ),
    (
        "route_too_slow",
        "bid hour at hall gpu period 0 over slow",
        PLAIN,
        PLAIN_ANSWER.less(HOUR0).plus(("hour", "hall", "gpu", 0, "slow", "4")),
    ),
    (
        "group_filled_twice",
        "group job",
        PLAIN,
        PLAIN_ANSWER.plus(
            ("half", "hall", "gpu", 0, "in", "1"), ("half", "hall", "gpu", 1, "in", "1")
        ),
    ),
    (
        "bid_outside_window",
        "bid soon at hall gpu period 1 over in",
        PLAIN,
        PLAIN_ANSWER.plus(("soon", "hall", "gpu", 1, "in", "1")),
    ),
    ("block_wrong_length", "bid gang", PLAIN, PLAIN_ANSWER.less(GANG1)),
    (
        "block_uneven",
        "bid gang",
        PLAIN,
        PLAIN_ANSWER.less(GANG1).plus(("gang", "hall", "gpu", 1, "in", "1")),
    ),
    (
        "block_uneven",
        "bid gang",
        PLAIN,
        PLAIN_ANSWER.less(GANG0, GANG1).plus(
            ("gang", "hall", "gpu", 0, "in", "3"), ("gang", "hall", "gpu", 1, "in", "3")
        ),
    ),
    (
        "block_on_two_sites",
        "bid gang",
        PLAIN,
        PLAIN_ANSWER.less(GANG1).plus(("gang", "shed", "gpu", 1, "in", "2")),
    ),
    (
        "block_over_two_routes",
        "bid gang",
        PLAIN,
        PLAIN_ANSWER.less(GANG1).plus(("gang", "hall", "gpu", 1, "slow", "2")),
    ),
    (
        "block_on_two_accelerators",
        "bid gang",
        PLAIN,
        PLAIN_ANSWER.less(GANG1).plus(("gang", "hall", "npu", 1, "in", "2")),
    ),
    (
        "accelerator_not_accepted",
        "bid hour at hall npu period 0 over in",
        PLAIN,
        PLAIN_ANSWER.less(HOUR0).plus(("hour", "hall", "npu", 0, "in", "4")),
    ),
    ("block_loses", "bid late", PLAIN, PLAIN_ANSWER.plus(("late", "hall", "gpu", 0, "in", "2"))),
    (
        "price_negative",
        "hall gpu period 0",
        PLAIN,
        PLAIN_ANSWER.priced(cells={("hall", "gpu", 0): "-0.001"}),
    ),
    (
        "bid_loses",
        "bid hour at hall gpu period 0 over in",
        PLAIN,
        PLAIN_ANSWER.priced(cells={("hall", "gpu", 0): "10.002"}),
    ),
    (
        "domestic_share_price_without_limit",
        "domestic share",
        PLAIN,
        PLAIN_ANSWER.priced(share="0.001"),
    ),
    (
        "power_price_without_limit",
        "region here period 0",
        PLAIN,
        PLAIN_ANSWER.priced(power={("here", 0): "0.001"}),
    ),
    (
        "link_overloaded",
        "link l period 0",
        COUPLED,
        COUPLED_ANSWER.less(FAR_W).plus(("far", "w", "gpu", 0, "ew", "4.001")),
    ),
    (
        "link_price_while_free",
        "link l period 0",
        COUPLED,
        COUPLED_ANSWER.less(FAR_W).plus(("far", "w", "gpu", 0, "ew", "3.998")),
    ),
    (
        "link_price_without_limit",
        "link free period 0",
        COUPLED,
        COUPLED_ANSWER.priced(links={("free", 0): "0.001"}),
    ),
    (
        "link_price_negative",
        "link l period 0",
        COUPLED,
        COUPLED_ANSWER.priced(links={("l", 0): "-0.001"}),
    ),
    (
        "fill_not_cheapest",
        "bid far at w gpu period 0 over ew",
        COUPLED,
        COUPLED_ANSWER.priced(links={("l", 0): "80.03"}),
    ),
    (
        "fill_not_cheapest",
        "bid far at e gpu period 0 over ee",
        COUPLED,
        COUPLED_ANSWER.priced(links={("l", 0): "79.97"}),
    ),
    (
        "route_from_elsewhere",
        "bid far at w gpu period 0 over ww",
        COUPLED,
        COUPLED_ANSWER.less(FAR_W).plus(("far", "w", "gpu", 0, "ww", "4")),
    ),
    (
        "route_to_elsewhere",
        "bid far at w gpu period 0 over ee",
        COUPLED,
        COUPLED_ANSWER.less(FAR_W).plus(("far", "w", "gpu", 0, "ee", "4")),
    ),
    (
        "region_not_allowed",
        "bid near at e gpu period 0 over ww",
        COUPLED,
        COUPLED_ANSWER.less(NEAR).plus(("near", "e", "gpu", 0, "ww", "1")),
    ),
    (
        "renewable_share_missed",
        "bid near at e gpu period 0 over ww",
        COUPLED,
        COUPLED_ANSWER.less(NEAR).plus(("near", "e", "gpu", 0, "ww", "1")),
    ),
    (
        "power_overdrawn",
        "region here period 0",
        POWERED,
        POWERED_ANSWER.less(*POWERED_ANSWER.bids, *POWERED_ANSWER.offers).plus(
            ("b", "hall", "gpu", 0, "in", "2.001"), ("o", 0, "2.001")
        ),
    ),
    (
        "power_price_while_free",
        "region here period 0",
        POWERED,
        POWERED_ANSWER.less(*POWERED_ANSWER.bids, *POWERED_ANSWER.offers).plus(
            ("b", "hall", "gpu", 0, "in", "1.998"), ("o", 0, "1.998")
        ),
    ),
    (
        "power_price_negative",
        "region here period 0",
        POWERED,
        POWERED_ANSWER.priced(power={("here", 0): "-1"}),
    ),
    (
        "power_price_without_limit",
        "region there period 0",
        POWERED,
        POWERED_ANSWER.priced(power={("there", 0): "1"}),
    ),
    (
        "offer_loses",
        "offer o period 0",
        POWERED,
        POWERED_ANSWER.priced(power={("here", 0): "6.003"}),
    ),
    (
        "offer_left_short",
        "offer o period 0",
        POWERED,
        POWERED_ANSWER.priced(power={("here", 0): "5.997"}),
    ),
    (
        "domestic_share_missed",
        "domestic share",
        SHARED,
        SHARED_ANSWER.less(*SHARED_ANSWER.bids, *SHARED_ANSWER.offers).plus(
            ("b", "hall", "gpu", 0, "in", "2.001"),
            ("b", "hall", "npu", 0, "in", "1.999"),
            ("og", 0, "2.001"),
            ("on", 0, "1.999"),
        ),
    ),
    (
        "domestic_share_price_while_free",
        "domestic share",
        SHARED,
        SHARED_ANSWER.less(*SHARED_ANSWER.bids, *SHARED_ANSWER.offers).plus(
            ("b", "hall", "gpu", 0, "in", "1.998"),
            ("b", "hall", "npu", 0, "in", "2.002"),
            ("og", 0, "1.998"),
            ("on", 0, "2.002"),
        ),
    ),
    (
        "domestic_share_price_negative",
        "domestic share",
        SHARED,
        SHARED_ANSWER.priced(share="-0.04"),
    ),
    (
        "price_negative",
        "hall gpu period 0",
        SHARED,
        SHARED_ANSWER.priced(cells={("hall", "gpu", 0): "-100.001"}),
    ),
    ("offer_loses", "offer on period 0", SHARED, SHARED_ANSWER.priced(share="0.03996")),
)


@pytest.mark.parametrize(("code", "where", "book", "answer"), PLANTED)
def test_it_names_a_planted_error_and_the_order_or_cell(
    code: str, where: str, book: Book, answer: Answer
) -> None:
    found = audit(book, answer)
    assert (code, where) in {(failure.code, failure.where) for failure in found.failures}
    assert not found.is_clean
    assert all(failure.reason for failure in found.failures)
