"""What moving work between regions gained, against each region trading alone."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from exchange.engine.book import Book, Routes
from exchange.engine.clearing import clear
from exchange.engine.outcome import Clearing


@dataclass(frozen=True, slots=True)
class TradingGain:
    """Welfare in micro-units with and without routes between regions."""

    together_micros: Fraction
    apart_micros: Fraction

    @property
    def gain_micros(self) -> Fraction:
        """Return what trading between regions was worth."""
        return self.together_micros - self.apart_micros


def isolated(book: Book) -> Book:
    """Return the same book without its routes from one region to another."""
    routes = book.routes
    home = np.flatnonzero(routes.origin == routes.region)
    lengths = np.diff(routes.link_start)[home]
    spans = [routes.links[routes.link_start[row] : routes.link_start[row + 1]] for row in home]
    kept = Routes(
        names=routes.names[home],
        origin=routes.origin[home],
        region=routes.region[home],
        latency_micros=routes.latency_micros[home],
        link_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        links=np.concatenate([np.zeros(0, dtype=np.int64), *spans]).astype(np.int64),
    )
    return replace(book, routes=kept)


def trading_gain(book: Book, together: Clearing, *, seconds: float | None = None) -> TradingGain:
    """Clear the book again with every region on its own, and compare."""
    apart = clear(isolated(book), seconds=seconds)
    return TradingGain(together.welfare_micros, apart.welfare_micros)
