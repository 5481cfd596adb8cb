"""The same book with every region on its own: nothing is bought from another region."""

from dataclasses import replace

import numpy as np

from exchange.engine.book import Book, Ints


def isolate_regions(book: Book) -> Book:
    """Return the book with those routes only that stay within their region."""
    table = book.routes
    kept = np.flatnonzero(table.origin == table.region)
    sizes = np.diff(table.link_start)[kept]
    assert not sizes.any(), "a route within a region runs over no link"
    none: Ints = np.zeros(len(kept) + 1, dtype=np.int64)
    return replace(
        book,
        routes=replace(
            table,
            names=table.names[kept],
            origin=table.origin[kept],
            region=table.region[kept],
            latency_micros=table.latency_micros[kept],
            link_start=none,
            links=table.links[:0],
        ),
    )
