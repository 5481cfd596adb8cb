"""Where accelerators can be drawn, and what each want may draw from.

A node is a (site, accelerator) pair or a pool. A pool gathers the pairs of one region and
accelerator whose sites are at least so renewable; who does not care at which site it runs draws
from a pool, so that only blocks see single sites. Pools of one region form a chain: what is
renewable enough for a strict bid also serves a lax one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, UNLIMITED, BidKind, Book, Flags, Floats, Ints
from exchange.engine.wants import Wants


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What each want may draw from: rows ``start[w]:start[w + 1]``, by node and route (CSR).

    ``factor`` is how many accelerators do the work of one unit, in millionths.
    """

    start: Ints
    node: Ints
    route: Ints
    factor_micros: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Nodes and the ways to them. The first nodes are the book's pairs, in their order.

    ``feed_from``/``feed_to``: what a pool draws from, pairs or stricter pools. ``open_nodes``
    (nodes, periods): somewhere behind the node there is an offer. ``kw`` and ``policy`` are per
    accelerator of a pair: its power, and its TFLOPS x (domestic - share) in thousands.
    """

    pair_region: Ints
    feed_from: Ints
    feed_to: Ints
    open_nodes: Flags
    pool_ways: Ways
    pair_ways: Ways
    route_limited: tuple[Ints, ...]  # the limited links of each route
    kw: Floats
    policy: Floats


def build_network(book: Book, wants: Wants) -> Network:
    """Lay out pools and ways for everything that the bids of a book want."""
    pools = _Pools(book)
    blocks = np.zeros(len(wants.sample), dtype=np.bool_)
    others = blocks.copy()
    is_block = book.bids.kind == BidKind.BLOCK
    blocks[wants.of_bid[is_block]] = True
    others[wants.of_bid[~is_block]] = True
    pool_ways = _gather(book, wants, others, pools.nodes_at)
    feeds = pools.feeds()
    site, accelerator = book.pairs
    share = (book.min_domestic_share_micros or 0) / MICROS
    tflops = book.accelerators.tflops_micros[accelerator] / MICROS
    watts = book.accelerators.watts_micros[accelerator] / MICROS
    return Network(
        pair_region=book.sites.region[site],
        feed_from=np.array([a for a, _ in feeds], dtype=np.int64),
        feed_to=np.array([b for _, b in feeds], dtype=np.int64),
        open_nodes=pools.open_nodes(),
        pool_ways=pool_ways,
        pair_ways=_gather(book, wants, blocks, pools.pairs_at),
        route_limited=_limited_links(book),
        kw=watts * (book.sites.pue_micros[site] / MICROS) / 1_000,
        policy=tflops * (book.accelerators.domestic[accelerator] - share) / 1_000,
    )


class _Pools:
    """Numbers pools as they are asked for."""

    def __init__(self, book: Book) -> None:
        self._book = book
        site, accelerator = book.pairs
        self._renewable = book.sites.renewable_micros[site]
        members = defaultdict(list)
        for pair in np.argsort(self._renewable, kind="stable"):
            members[int(book.sites.region[site[pair]]), int(accelerator[pair])].append(int(pair))
        self._members = dict(members)
        self._pools: dict[tuple[int, int, int], int] = {}

    def pairs_at(self, region: int, accelerator: int, renewable: int) -> list[int]:
        members = self._members.get((region, accelerator), [])
        return sorted(p for p in members if self._renewable[p] >= renewable)

    def nodes_at(self, region: int, accelerator: int, renewable: int) -> list[int]:
        """The pool of such pairs; a single pair needs no pool."""
        pairs = self.pairs_at(region, accelerator, renewable)
        if len(pairs) <= 1:
            return pairs
        lax = len(self._members[region, accelerator]) - len(pairs)
        key = (region, accelerator, lax)
        return [self._pools.setdefault(key, len(self._renewable) + len(self._pools))]

    def feeds(self) -> list[tuple[int, int]]:
        """Every pool draws from the next stricter one, and from the pairs that only it admits."""
        found = []
        for (region, accelerator, lax), node in self._pools.items():
            members = self._members[region, accelerator]
            stricter = [
                key[2] for key in self._pools if key[:2] == (region, accelerator) and key[2] > lax
            ]
            upto = min(stricter, default=len(members))
            found += [(pair, node) for pair in members[lax:upto]]
            found += [(self._pools[region, accelerator, upto], node)] if stricter else []
        return sorted(found)

    def open_nodes(self) -> Flags:
        """Shape (nodes, periods)."""
        pools = [self._members[key[:2]][key[2] :] for key in self._pools]
        rows = [self._book.open_cells[pairs].any(axis=0) for pairs in pools]
        empty = np.zeros((0, self._book.periods), dtype=np.bool_)
        return np.concatenate([self._book.open_cells, np.array(rows) if rows else empty])


def _limited_links(book: Book) -> tuple[Ints, ...]:
    limited = (book.link_gbps_micros != UNLIMITED).any(axis=1)
    routes = book.routes
    links = np.split(routes.links, routes.link_start[1:-1])
    return tuple(np.asarray(mine[limited[mine]]) for mine in links)


def _places(book: Book, bid: int, limited: tuple[Ints, ...]) -> Iterator[tuple[int, int]]:
    """(region, route) where a bid may run; of routes that cost the same, the first by name."""
    bids, routes = book.bids, book.routes
    regions = bids.regions[bids.region_start[bid] : bids.region_start[bid + 1]]
    bound = bids.latency_micros_max[bid]
    seen = set()
    for route in np.flatnonzero(routes.origin == bids.origin[bid]):
        region = int(routes.region[route])
        near = bound == UNLIMITED or routes.latency_micros[route] <= bound
        if near and (not len(regions) or region in regions):
            links = tuple(sorted(limited[route])) if bids.gbps_micros[bid] else ()
            if (region, links) not in seen:
                seen.add((region, links))
                yield region, int(route)


def _gather(
    book: Book,
    wants: Wants,
    wanted: Flags,
    nodes_at: Callable[[int, int, int], list[int]],
) -> Ways:
    """The ways of the wants that are wanted by somebody; the others get none."""
    limited = _limited_links(book)
    rows: list[tuple[int, int, int]] = []
    start = [0]
    for want, bid in enumerate(wants.sample):
        if wanted[want]:
            rows += _ways_of(book, int(bid), limited, nodes_at)
        start.append(len(rows))
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Ways(
        start=np.array(start, dtype=np.int64),
        node=table[:, 0],
        route=table[:, 1],
        factor_micros=table[:, 2],
    )


def _ways_of(
    book: Book,
    bid: int,
    limited: tuple[Ints, ...],
    nodes_at: Callable[[int, int, int], list[int]],
) -> list[tuple[int, int, int]]:
    bids = book.bids
    chosen = slice(bids.choice_start[bid], bids.choice_start[bid + 1])
    renewable = int(bids.renewable_micros_min[bid])
    return [
        (node, route, int(factor))
        for region, route in _places(book, bid, limited)
        for accelerator, factor in zip(
            bids.choice_accelerator[chosen], bids.choice_factor_micros[chosen], strict=True
        )
        for node in nodes_at(region, int(accelerator), renewable)
    ]
