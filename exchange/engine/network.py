"""Where accelerators can be drawn, and what each want may draw from.

A node is a (site, accelerator) pair, a class or a pool. Pairs that no divisible bid can tell apart
(one region, accelerator, PUE, and renewable as far as any bid asks) are a class: only blocks see
single sites. A pool gathers the classes of a region and accelerator that are at least so
renewable. Pools of one region form a chain: what serves a strict bid also serves a lax one.
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
    """Nodes and the ways to them: first the book's pairs in their order, then classes, then pools.

    ``pair_class`` gives the node of each pair's class. ``feed_from``/``feed_to``: what a class
    (pairs) and a pool (classes, the next stricter pool) draw from. ``open_nodes``
    (nodes, periods): somewhere behind the node there is an offer. ``kw`` and ``policy`` are per
    accelerator of a pair: its power, and its TFLOPS x (domestic - share) in thousands.
    """

    pair_region: Ints
    pair_class: Ints
    classes: int
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
        pair_class=pools.pair_class,
        classes=pools.classes,
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
    """Classes of pairs, and pools of classes, numbered as they are asked for."""

    def __init__(self, book: Book) -> None:
        site, accelerator = book.pairs
        asked = np.unique(book.bids.renewable_micros_min)
        self._asked = asked
        self._renewable = book.sites.renewable_micros[site]
        green = np.searchsorted(asked, self._renewable, side="right")
        keys = np.stack(
            [book.sites.region[site], accelerator, book.sites.pue_micros[site], green], axis=1
        )
        kinds, number = np.unique(keys, axis=0, return_inverse=True)
        self.classes = len(kinds)
        self.pair_class = len(site) + number.reshape(-1).astype(np.int64)
        self._open = book.open_cells
        # Per region and accelerator: its classes, the least renewable first, as (green, node).
        self._members: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for node, (region, chip, _, level) in enumerate(kinds.tolist(), len(site)):
            self._members[region, chip].append((level, node))
        for members in self._members.values():
            members.sort()
        self._pairs: dict[tuple[int, int], list[int]] = defaultdict(list)
        for pair, (region, chip) in enumerate(keys[:, :2].tolist()):
            self._pairs[region, chip].append(pair)
        self._pools: dict[tuple[int, int, int], int] = {}

    def pairs_at(self, region: int, accelerator: int, renewable: int) -> list[int]:
        pairs = self._pairs.get((region, accelerator), [])
        return [pair for pair in pairs if self._renewable[pair] >= renewable]

    def nodes_at(self, region: int, accelerator: int, renewable: int) -> list[int]:
        """The pool of what is so renewable; a single class needs no pool."""
        members = self._members.get((region, accelerator), [])
        least = int(np.searchsorted(self._asked, renewable, side="right"))
        admitted = [node for level, node in members if level >= least]
        if len(admitted) <= 1:
            return admitted
        key = (region, accelerator, len(members) - len(admitted))
        first = len(self._renewable) + self.classes
        return [self._pools.setdefault(key, first + len(self._pools))]

    def feeds(self) -> list[tuple[int, int]]:
        """A class draws from its pairs, a pool from its classes and from the stricter pool."""
        found = list(enumerate(self.pair_class.tolist()))
        for (region, chip, lax), pool in self._pools.items():
            members = self._members[region, chip]
            stricter = [key[2] for key in self._pools if key[:2] == (region, chip) and key[2] > lax]
            upto = min(stricter, default=len(members))
            found += [(node, pool) for _, node in members[lax:upto]]
            found += [(self._pools[region, chip, upto], pool)] if stricter else []
        return sorted(found)

    def open_nodes(self) -> Flags:
        """Shape (nodes, periods)."""
        pairs, periods = self._open.shape
        nodes = np.zeros((pairs + self.classes + len(self._pools), periods), dtype=np.bool_)
        nodes[:pairs] = self._open
        np.logical_or.at(nodes, self.pair_class, self._open)
        for (region, chip, lax), pool in self._pools.items():
            members = [node for _, node in self._members[region, chip][lax:]]
            nodes[pool] = nodes[members].any(axis=0)
        return nodes


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
