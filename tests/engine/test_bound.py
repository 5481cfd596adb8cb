"""What the judges add up by the million, against the same said one order at a time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.engine.audit_ties import misshared, share_pro_rata
from exchange.engine.book import MICROS, BidKind, Book
from exchange.engine.bound import (
    block_lots,
    block_surpluses,
    block_value,
    unit_costs,
    volume_surplus,
)
from exchange.engine.exact import HUGE
from exchange.engine.exact_prices import ExactPrices
from exchange.engine.reach import Reach
from tests.engine.strategies import small_books


def _draw_prices(book: Book, seed: int) -> ExactPrices:
    rng = np.random.default_rng(seed)
    cells, links = book.open_cells.shape, book.link_gbps_micros.shape
    return ExactPrices(
        cells=rng.integers(0, 6_000, size=cells) * MICROS,
        links=rng.integers(0, 3, size=links) * 500 * MICROS,
        power=np.zeros(book.power_kw_micros.shape, dtype=np.int64),
        domestic_attos=0,
    )


@given(book=small_books(), seed=st.integers(0, 99))
def test_a_volume_bid_gains_in_the_cheapest_periods_that_it_may_use(book: Book, seed: int) -> None:
    bids, reach = book.bids, Reach(book)
    costs = reach.cheapest(_draw_prices(book, seed))
    best = 0
    for bid in np.flatnonzero(bids.kind == BidKind.VOLUME).tolist():
        period = np.arange(bids.first[bid], bids.end[bid])
        cost = unit_costs(reach, costs, np.full(len(period), bid), period)
        left = int(bids.volume_lots[bid])
        for each in sorted(cost.tolist()):
            taken = min(left, int(bids.quantity_lots[bid]))
            best += max(0, int(bids.price_ticks[bid]) * MICROS - each) * taken
            left -= taken
    assert volume_surplus(book, reach, costs) == best


@given(book=small_books(), seed=st.integers(0, 99))
def test_a_block_gains_most_at_its_best_accelerator_and_start(book: Book, seed: int) -> None:
    bids, reach, prices = book.bids, Reach(book), _draw_prices(book, seed)
    best: dict[int, int] = {}
    for bid in np.flatnonzero(bids.kind == BidKind.BLOCK).tolist():
        length = int(bids.duration[bid])
        costs = reach.cheapest(prices, length)
        for choice in range(bids.choice_start[bid], bids.choice_start[bid + 1]):
            factor = bids.choice_factor_micros[choice : choice + 1]
            [lots] = block_lots(int(bids.quantity_lots[bid]), factor).tolist()
            for start in range(bids.first[bid], bids.end[bid] - length + 1):
                cost = int(costs[reach.want[choice], start])
                if cost < HUGE:
                    gain = block_value(book, bid) - cost * lots
                    best[bid] = max(best.get(bid, gain), gain)
    assert block_surpluses(book, reach, prices) == best


WEIGHTS = st.lists(st.integers(1, 5), min_size=2, max_size=5)


@given(data=st.data(), groups=st.lists(WEIGHTS, min_size=1, max_size=5))
def test_a_group_is_misshared_exactly_where_a_share_is_another(
    data: st.DataObject, groups: list[list[int]]
) -> None:
    lots, moved = [], []
    for weights in groups:
        shares = share_pro_rata(data.draw(st.integers(0, sum(weights))), weights)
        giver = data.draw(st.integers(0, len(shares) - 1))
        moves = data.draw(st.booleans()) and shares[giver] > 0
        moved.append(moves)
        shares[giver] -= moves
        shares[giver - 1] += moves
        lots += shares
    group = np.repeat(np.arange(len(groups)), [len(weights) for weights in groups])
    weight = np.concatenate([np.array(weights, dtype=np.int64) for weights in groups])
    assert misshared(group, np.array(lots, dtype=np.int64), weight).tolist() == moved


def test_a_group_whose_products_are_too_large_is_left_to_exact_arithmetic() -> None:
    group, weight = np.zeros(2, dtype=np.int64), np.full(2, 10**9)
    assert misshared(group, np.full(2, 10**11), weight).tolist() == [True]
