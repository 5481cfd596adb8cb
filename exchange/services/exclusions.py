"""Which of a bid's own rules left it nothing: applied one after another to what was offered."""

from collections.abc import Callable

import numpy as np

from exchange.engine.book import UNLIMITED, BidKind, Book, Flags

NOTHING_LEFT = "capacity in one piece"


def excluding_rule(book: Book, bid: int) -> str:
    """Return the first rule of a bid that leaves none of the open cells of its book."""
    cells = book.open_cells.copy()
    for rule, keep in _RULES.items():
        cells &= keep(book, bid)
        if not cells.any():
            return rule
    return NOTHING_LEFT


def _accelerators(book: Book, bid: int) -> Flags:
    chosen = slice(book.bids.choice_start[bid], book.bids.choice_start[bid + 1])
    return np.isin(book.pairs[1], book.bids.choice_accelerator[chosen])[:, None]


def _regions(book: Book, bid: int) -> Flags:
    listed = book.bids.regions[book.bids.region_start[bid] : book.bids.region_start[bid + 1]]
    site = book.pairs[0]
    allowed = np.isin(book.sites.region[site], listed) if len(listed) else np.ones_like(site, bool)
    return np.asarray(allowed)[:, None]


def _latency(book: Book, bid: int) -> Flags:
    routes, bound = book.routes, book.bids.latency_micros_max[bid]
    near = routes.origin == book.bids.origin[bid]
    if bound != UNLIMITED:
        near &= routes.latency_micros <= bound
    return np.isin(book.sites.region[book.pairs[0]], routes.region[near])[:, None]


def _renewable(book: Book, bid: int) -> Flags:
    share = book.sites.renewable_micros[book.pairs[0]]
    return np.asarray(share >= book.bids.renewable_micros_min[bid])[:, None]


def _window(book: Book, bid: int) -> Flags:
    period = np.arange(book.periods)
    return np.asarray((period >= book.bids.first[bid]) & (period < book.bids.end[bid]))[None, :]


def _without_gap(book: Book, bid: int) -> Flags:
    """Cells of the book that begin a run as long as the block."""
    if book.bids.kind[bid] != BidKind.BLOCK:
        return np.ones((1, 1), dtype=np.bool_)
    duration = int(book.bids.duration[bid])
    closed = (~book.open_cells).cumsum(axis=1)
    closed = np.concatenate([np.zeros_like(closed[:, :1]), closed], axis=1)
    begins = np.zeros_like(book.open_cells)
    last = book.periods - duration + 1
    begins[:, :last] = closed[:, duration:] == closed[:, :last]
    return begins


_RULES: dict[str, Callable[[Book, int], Flags]] = {
    "accelerators": _accelerators,
    "regions": _regions,
    "latency_ms_max": _latency,
    "renewable_share_min": _renewable,
    "window": _window,
    "duration": _without_gap,
}
