"""What the judges add up by the million, against the same said one order at a time."""

from collections.abc import Iterator
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.engine.audit_ties import misshared, share_pro_rata
from exchange.engine.book import LOTS_PER_UNIT, MICROS, UNLIMITED, BidKind, Book
from exchange.engine.bound import (
    block_lots,
    block_surpluses,
    block_value,
    unit_costs,
    volume_surplus,
)
from exchange.engine.exact import scale_micros
from exchange.engine.exact_prices import ExactPrices, kw_scaled
from exchange.engine.reach import Reach, allowed_sites, route_prices
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
def test_a_block_gains_most_at_the_best_place_that_can_hold_it_whole(book: Book, seed: int) -> None:
    prices = _draw_prices(book, seed)
    best: dict[int, int] = {}
    for bid in np.flatnonzero(book.bids.kind == BidKind.BLOCK).tolist():
        for gain in _gains(book, prices, bid):
            best[bid] = max(best.get(bid, gain), gain)
    assert block_surpluses(book, Reach(book), prices) == best


def _gains(book: Book, prices: ExactPrices, bid: int) -> Iterator[int]:
    """What one block gains with each accelerator, site, route and start."""
    bids, length = book.bids, int(book.bids.duration[bid])
    for choice in range(bids.choice_start[bid], bids.choice_start[bid + 1]):
        factor = bids.choice_factor_micros[choice : choice + 1]
        [lots] = block_lots(int(bids.quantity_lots[bid]), factor).tolist()
        for pair, route in product(range(len(book.pairs[0])), range(len(book.routes.names))):
            if book.pairs[1][pair] != bids.choice_accelerator[choice]:
                continue
            if not _leads(book, bid, int(book.pairs[0][pair]), route):
                continue
            for start in range(bids.first[bid], bids.end[bid] - length + 1):
                window = slice(start, start + length)
                if _holds(book, (pair, route, window), (bid, lots)):
                    links = route_prices(book, prices.links)[route, window].sum()
                    paid = scale_micros(np.array([links]), bids.gbps_micros[bid : bid + 1])
                    cost = int(prices.cells[pair, window].sum()) + int(paid[0])
                    yield block_value(book, bid) - cost * lots


def _leads(book: Book, bid: int, site: int, route: int) -> bool:
    bids, routes = book.bids, book.routes
    bound = int(bids.latency_micros_max[bid])
    return bool(
        allowed_sites(book, bid)[site]
        and routes.origin[route] == bids.origin[bid]
        and routes.region[route] == book.sites.region[site]
        and (bound == UNLIMITED or routes.latency_micros[route] <= bound)
    )


def _holds(book: Book, place: tuple[int, int, slice], gang: tuple[int, int]) -> bool:
    """Whether offers, the region's power and the links could carry the block, were it alone."""
    (pair, route, window), (bid, lots) = place, gang
    size = lots // LOTS_PER_UNIT
    region = book.sites.region[book.pairs[0][pair]]
    budgets = book.power_kw_micros[region, window].tolist()
    drawn = int(kw_scaled(book)[pair]) * size
    over = book.routes.links[book.routes.link_start[route] : book.routes.link_start[route + 1]]
    limits = book.link_gbps_micros[over, window].ravel().tolist()
    gbps = int(book.bids.gbps_micros[bid]) * size
    return bool(
        (book.capacity_lots[pair, window] >= lots).all()
        and all(kw == UNLIMITED or drawn <= kw * 10**9 for kw in budgets)
        and all(limit == UNLIMITED or gbps <= limit for limit in limits)
    )


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
