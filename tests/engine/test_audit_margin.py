"""A priced limit is full when what is left of it holds no lot of an order that wants it.

The orders here get nothing of the limit, because a lot of theirs is more than is left.
"""

import pytest

from exchange.engine.audit import check
from exchange.engine.book import Book
from tests.engine.hand import Answer, make_book, make_clearing


def _codes(book: Book, answer: Answer) -> set[str]:
    return set(check(book, make_clearing(book, answer)).counts)


def _share_book(*, domestic: str, limit: str) -> Book:
    """A lot of the foreign chip weighs 156, one of the domestic chip 0.5."""
    return make_book(
        {"periods": 1, "min_domestic_share": "0.5"},
        regions=["here"],
        accelerators=["gpu,0,312,0", "npu,1,1,0"],
        sites=["hall,here,1,0"],
        routes=["in,here,here,1,"],
        offers=["og,hall,gpu,0,1,9,2", "on,hall,npu,0,1,5,1"],
        bids=[f"b,hourly,here,4,{limit},0,1,,,,0,,,", f"n,hourly,here,{domestic},5,0,1,,,,0,,,"],
        bid_accelerators=["b,gpu,1", "n,npu,1"],
    )


@pytest.mark.parametrize(
    ("domestic", "limit", "codes"),
    [
        ("0.1", "10", set()),  # 50 are left
        ("0.1", "9.99", {"domestic_share_price_while_free"}),  # nobody wants the foreign chip
        ("0.4", "10", {"domestic_share_price_while_free"}),  # 200 are left: there is room for a lot
    ],
)
def test_the_share_is_full_when_no_foreign_lot_that_is_worth_its_price_fits(
    domestic: str, limit: str, codes: set[str]
) -> None:
    # The foreign chip costs 10 of which the seller gets 10 - 156 x 0.051282051 = 2.
    answer = Answer(
        cells={("hall", "gpu", 0): "10", ("hall", "npu", 0): "0.974"},
        bids=[("n", "hall", "npu", 0, "in", domestic)],
        offers=[("on", 0, domestic)],
        share="0.051282051",
    )
    assert _codes(_share_book(domestic=domestic, limit=limit), answer) == codes


def _link_book(gbps: str, bid: str) -> Book:
    """A lot of the far bid needs 0.0001 Gbps."""
    return make_book(
        {"periods": 1},
        regions=["east", "west"],
        accelerators=["gpu,0,100,0"],
        sites=["e,east,1,0", "w,west,1,0"],
        routes=["ee,east,east,1,", "ew,east,west,10,l"],
        links=[f"l,,{gbps}"],
        offers=["oe,e,gpu,0,1,4,5", "ow,w,gpu,0,1,20,2"],
        bids=[bid],
        bid_accelerators=["far,gpu,1"],
    )


HOURLY = "far,hourly,east,10,10,0,1,,,,0.1,,,"
UNSERVED = "far,volume,east,10,10,0,1,,10,,0.1,,,"
SERVED = "far,volume,east,4,12,0,1,,4,,0.1,,,"


@pytest.mark.parametrize(
    ("gbps", "bid", "price", "codes"),
    [
        ("0.00004", HOURLY, "10", set()),
        ("0.00015", HOURLY, "10", {"link_price_while_free"}),
        ("0.00004", HOURLY.replace(",10,10,", ",4,12,"), "10", set()),  # served, at the same cost
        ("0.00004", HOURLY.replace(",10,10,", ",4,12,"), "9", {"link_price_while_free"}),
        ("0.00004", UNSERVED, "10", set()),
        ("0.00015", UNSERVED, "10", {"link_price_while_free"}),
        ("0.00004", SERVED, "10", set()),
        ("0.00004", SERVED, "9", {"link_price_while_free"}),
    ],
)
def test_a_link_is_full_when_no_lot_fits_of_an_order_that_it_would_cost_no_more(
    gbps: str, bid: str, price: str, codes: set[str]
) -> None:
    # Through the link the unit costs 2 + 0.1 x 80 = 10.
    answer = Answer(
        cells={("e", "gpu", 0): price, ("w", "gpu", 0): "2"},
        bids=[("far", "e", "gpu", 0, "ee", "4")],
        offers=[("oe", 0, "4")],
        links={("l", 0): "80"},
    )
    assert _codes(_link_book(gbps, bid), answer) == codes


@pytest.mark.parametrize(
    ("kw", "codes"), [("0.0005", set()), ("0.0015", {"power_price_while_free"})]
)
def test_a_power_budget_is_full_when_no_lot_fits_of_an_order_that_wants_it(
    kw: str, codes: set[str]
) -> None:
    book = make_book(
        {"periods": 1},
        regions=["here"],
        accelerators=["gpu,0,100,800"],
        sites=["hall,here,1.25,0"],
        routes=["in,here,here,1,"],
        power=[f"here,0,{kw}"],
        offers=["o,hall,gpu,0,1,5,4"],
        bids=["b,hourly,here,5,10,0,1,,,,0,,,"],
        bid_accelerators=["b,gpu,1"],
    )
    cells, power = {("hall", "gpu", 0): "10"}, {("here", 0): "6"}
    assert _codes(book, Answer(cells=cells, bids=[], offers=[], power=power)) == codes


def test_an_order_that_uses_the_limit_already_counts_once() -> None:
    bids = [("far", "e", "gpu", 0, "ee", "4"), ("far", "w", "gpu", 0, "ew", "0.001")]
    answer = Answer(
        cells={("e", "gpu", 0): "10", ("w", "gpu", 0): "2"},
        bids=bids,
        offers=[("oe", 0, "4"), ("ow", 0, "0.001")],
        links={("l", 0): "80"},
    )
    assert _codes(_link_book("0.0002", HOURLY), answer) == set()
    assert _codes(_link_book("0.000201", HOURLY), answer) == {"link_price_while_free"}
