"""One market that other engines can be given too: ten nodes around a hub, orders of an hour each.

It is the part of our order language that they share: sell and buy orders of one hour at a node, and
blocks that must be bought whole in fixed hours at a node. In our terms a node is a region with one
site, a link has the same capacity both ways, and a block stays in its region.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.engine.book import Book, Floats, Ints
from exchange.engine.decimals import format_normal
from exchange.engine.files import book_from_tables
from exchange.engine.solver import Program
from tests.bench.philly import draw_jobs

NODES: Final = 10
PERIODS: Final = 24
LINK_ACCELERATORS: Final = 60  # what a link carries, at one Gbps each
GANG: Final = 4  # a block is a job of so many accelerators at least
_TICKS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Orders:
    """Rows of offers, hourly bids and blocks; whole accelerators, prices in ticks."""

    offer_node: Ints
    offer_period: Ints
    offer_quantity: Ints
    offer_price: Ints
    bid_node: Ints
    bid_period: Ints
    bid_quantity: Ints
    bid_price: Ints
    block_node: Ints
    block_first: Ints
    block_duration: Ints
    block_quantity: Ints
    block_price: Ints


def draw_orders(*, simple: int = 10_000, blocks: int = 1_000, seed: int = 1) -> Orders:
    """Draw as many offers as hourly bids, and blocks as large and long as real gangs."""
    rng = np.random.default_rng(seed)
    half = simple // 2
    gpus, hours = draw_jobs(rng, 50 * blocks)
    gangs = np.flatnonzero(gpus >= GANG)[:blocks]
    assert len(gangs) == blocks
    gpus, hours = gpus[gangs], hours[gangs]
    node_price = rng.uniform(0.7, 1.3, size=NODES)
    offer_node, bid_node = rng.integers(0, NODES, half), rng.integers(0, NODES, half)
    offer_price = node_price[offer_node] * rng.uniform(4, 12, half)
    return Orders(
        offer_node=offer_node,
        offer_period=rng.integers(0, PERIODS, half),
        offer_quantity=rng.integers(1, 40, half),
        offer_price=np.rint(offer_price * _TICKS).astype(np.int64),
        bid_node=bid_node,
        bid_period=rng.integers(0, PERIODS, half),
        bid_quantity=rng.integers(1, 32, half),
        bid_price=np.rint(rng.uniform(5, 16, half) * _TICKS).astype(np.int64),
        block_node=rng.integers(0, NODES, blocks),
        block_first=rng.integers(0, PERIODS + 1 - hours),
        block_duration=hours,
        block_quantity=gpus,
        block_price=np.rint(rng.uniform(5, 14, blocks) * _TICKS).astype(np.int64),
    )


def as_book(orders: Orders) -> Book:
    """Give the orders as a book of ours."""
    nodes = np.array([f"n{node}" for node in range(NODES)])
    hourly, blocks = len(orders.bid_node), len(orders.block_node)
    empty, none = np.full(hourly + blocks, ""), np.zeros(hourly, dtype=np.int64)
    node = np.concatenate([orders.bid_node, orders.block_node])
    first = np.concatenate([orders.bid_period, orders.block_first])
    length = np.concatenate([none + 1, orders.block_duration])
    bids = np.array([f"b{row:06d}" for row in range(hourly + blocks)])
    pairs = [(start, end) for start in range(NODES) for end in range(NODES)]
    paths = [" ".join(f"{one}>{other}" for one, other in _path(start, end)) for start, end in pairs]
    links = [f"{one}>{other}" for node in range(1, NODES) for one, other in ((0, node), (node, 0))]
    head = {
        "format": "compute-order-book/1",
        "auction": "rivals",
        "currency": "CNY",
        "start": "2026-01-05T00:00:00+08:00",
        "period_minutes": 60,
        "periods": PERIODS,
        "price_tick": "0.001",
        "price_cap": "1000",
        "min_domestic_share": None,
    }
    return book_from_tables(
        head,
        {
            "regions.csv": {"region": nodes},
            "accelerators.csv": _one(accelerator="gpu", domestic="0", tflops="1", watts="0"),
            "sites.csv": {
                "site": nodes,
                "region": nodes,
                "pue": np.full(NODES, "1"),
                "renewable_share": np.full(NODES, "0"),
            },
            "routes.csv": {
                "route": np.array([f"n{start}:n{end}" for start, end in pairs]),
                "origin": np.array([f"n{start}" for start, _ in pairs]),
                "region": np.array([f"n{end}" for _, end in pairs]),
                "latency_ms": np.full(len(pairs), "1"),
                "links": np.array(paths),
            },
            "links.csv": {
                "link": np.array(links),
                "period": np.full(len(links), ""),
                "gbps": np.full(len(links), str(LINK_ACCELERATORS)),
            },
            "offers.csv": {
                "offer": np.array([f"o{row:06d}" for row in range(len(orders.offer_node))]),
                "site": nodes[orders.offer_node],
                "accelerator": np.full(len(orders.offer_node), "gpu"),
                "first": format_normal(orders.offer_period, 0),
                "end": format_normal(orders.offer_period + 1, 0),
                "quantity": format_normal(orders.offer_quantity, 0),
                "price": format_normal(orders.offer_price, 3),
            },
            "bids.csv": {
                "bid": bids,
                "kind": np.repeat(["hourly", "block"], [hourly, blocks]),
                "origin": nodes[node],
                "quantity": format_normal(
                    np.concatenate([orders.bid_quantity, orders.block_quantity]), 0
                ),
                "price": format_normal(np.concatenate([orders.bid_price, orders.block_price]), 3),
                "first": format_normal(first, 0),
                "end": format_normal(first + length, 0),
                "duration": np.where(
                    np.arange(hourly + blocks) < hourly, b"", format_normal(length, 0)
                ),
                "volume": empty,
                "max_latency_ms": empty,
                "gbps": np.repeat(["1", "0"], [hourly, blocks]),
                "group": empty,
                "regions": np.concatenate([np.full(hourly, ""), nodes[orders.block_node]]),
                "renewable_min": empty,
            },
            "bid_accelerators.csv": {
                "bid": bids,
                "accelerator": np.full(len(bids), "gpu"),
                "factor": np.full(len(bids), "1"),
            },
        },
    )


def as_program(orders: Orders) -> tuple[Program, Ints]:
    """Give the whole market as one program in currency, and the columns that must be whole.

    Rows are the balances by node and period; columns the orders and the flow of each link and
    period. There is no rule on what blocks gain in it.
    """
    cells = NODES * PERIODS
    sold = orders.offer_node * PERIODS + orders.offer_period
    bought = orders.bid_node * PERIODS + orders.bid_period
    length = orders.block_duration
    taken = np.repeat(orders.block_node * PERIODS + orders.block_first, length)
    taken += np.arange(len(taken)) - np.repeat(np.cumsum(length) - length, length)
    flows = np.arange((NODES - 1) * PERIODS)
    across = np.stack(
        [flows + PERIODS, flows % PERIODS], axis=1
    ).ravel()  # into a node, from the hub
    counts = [np.ones_like(sold), np.ones_like(bought), length, np.full(len(flows), 2)]
    values: list[Floats] = [
        np.ones(len(sold)),
        -np.ones(len(bought)),
        -np.repeat(orders.block_quantity, length).astype(np.float64),
        np.tile([1.0, -1.0], len(flows)),
    ]
    limits = [orders.offer_quantity, orders.bid_quantity, np.ones_like(length)]
    upper = np.concatenate([*limits, np.full(len(flows), LINK_ACCELERATORS)]).astype(np.float64)
    cost = np.concatenate(
        [
            orders.offer_price,
            -orders.bid_price,
            -orders.block_price * orders.block_quantity * length,
            np.zeros(len(flows), dtype=np.int64),
        ]
    )
    first_block = len(sold) + len(bought)
    return Program(
        cost=cost / _TICKS,
        lower=np.concatenate([np.zeros(first_block + len(length)), -upper[-len(flows) :]]),
        upper=upper,
        row_lower=np.zeros(cells),
        row_upper=np.zeros(cells),
        start=np.concatenate([[0], np.cumsum(np.concatenate(counts))]),
        index=np.concatenate([sold, bought, taken, across]),
        value=np.concatenate(values),
    ), np.arange(first_block, first_block + len(length))


def _path(start: int, end: int) -> list[tuple[int, int]]:
    return [(one, other) for one, other in ((start, 0), (0, end)) if one != other and start != end]


def _one(**values: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}
