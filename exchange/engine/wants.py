"""Bids that accept the same places at the same cost want the same thing: one row for all of them.

A want is a ladder's signature (market.md, ties): usable routes, bandwidth, regions, renewable
share, accelerators and factors. Latency bounds that admit the same routes are the same want.
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import UNLIMITED, Book, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """``of_bid`` gives each bid's want; ``sample`` one bid of each want, the first by name."""

    of_bid: Ints
    sample: Ints


def find_wants(book: Book) -> Wants:
    """Number the distinct wants in the order of their contents, never of the book's rows."""
    bids = book.bids
    ids = np.zeros(len(bids.names), dtype=np.int64)
    for column in (bids.origin, _reach(book), bids.gbps_micros, bids.renewable_micros_min):
        ids = _split(ids, column)
    for column in _padded(bids.region_start, bids.regions):
        ids = _split(ids, column)
    for values in (bids.choice_accelerator, bids.choice_factor_micros):
        for column in _padded(bids.choice_start, values):
            ids = _split(ids, column)
    return Wants(of_bid=ids, sample=np.unique(ids, return_index=True)[1].astype(np.int64))


def _reach(book: Book) -> Ints:
    """How many routes from its origin each bid's latency bound admits."""
    routes, bids = book.routes, book.bids
    unbounded = np.iinfo(np.int64).max
    bound = np.where(
        bids.latency_micros_max == UNLIMITED, unbounded, bids.latency_micros_max
    ).astype(np.int64)
    reach = np.zeros(len(bids.names), dtype=np.int64)
    for origin in np.unique(bids.origin):
        latencies = np.sort(routes.latency_micros[routes.origin == origin])
        mine = bids.origin == origin
        reach[mine] = np.searchsorted(latencies, bound[mine], side="right")
    return reach


def _split(ids: Ints, column: Ints) -> Ints:
    """Refine a numbering by one more column."""
    if not len(ids):
        return ids
    values, rank = np.unique(column, return_inverse=True)
    refined = np.unique(ids * len(values) + rank, return_inverse=True)[1]
    return np.asarray(refined, dtype=np.int64)


def _padded(start: Ints, values: Ints) -> list[Ints]:
    """Lists of different lengths as columns; a place that a list does not have is -1."""
    lengths = np.diff(start)
    columns = []
    for place in range(int(lengths.max(initial=0))):
        column = np.full(len(lengths), -1, dtype=np.int64)
        has = lengths > place
        column[has] = values[start[:-1][has] + place]
        columns.append(column)
    return columns
