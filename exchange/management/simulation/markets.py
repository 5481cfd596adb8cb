"""One book through the three markets: coupled, each region alone, first come first served."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

from exchange.engine import audit
from exchange.engine.book import Book
from exchange.engine.clearing import clear_audited
from exchange.engine.components import parts_of
from exchange.engine.merging import merge
from exchange.engine.outcome import Clearing
from exchange.management.simulation.alone import isolate_regions
from exchange.management.simulation.measures import Measures, measure
from exchange.management.simulation.posted import sell_posted

COUPLED, ALONE, POSTED = "coupled", "alone", "posted"
MARKETS: Final = (COUPLED, ALONE, POSTED)


class ClearingFailed(Exception):
    """A clearing did not pass its own audit: the simulation says so and counts nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a market made of a book; ``gap`` is proved, None where nothing is."""

    market: str
    seconds: float
    complete: bool
    gap: float | None
    measures: Measures


def run_markets(
    book: Book, *, seconds: float | None, but: Collection[str] = ()
) -> Iterator[Outcome]:
    """Yield the outcome of each market, those first that take least; ``seconds`` per clearing."""
    if POSTED not in but:
        yield _posted(book)
    if ALONE not in but:
        yield _cleared(ALONE, isolate_regions(book), lambda one: _clear_parts(one, seconds))
    if COUPLED not in but:
        yield _cleared(COUPLED, book, lambda one: _clear(one, seconds))


def _posted(book: Book) -> Outcome:
    begun = time.perf_counter()
    sold = sell_posted(book)
    return Outcome(
        market=POSTED,
        seconds=time.perf_counter() - begun,
        complete=True,
        gap=None,
        measures=measure(book, sold.bid_fills, sold.offer_fills),
    )


def _cleared(market: str, book: Book, work: Callable[[Book], tuple[Clearing, float]]) -> Outcome:
    begun = time.perf_counter()
    clearing, gap = work(book)
    return Outcome(
        market=market,
        seconds=time.perf_counter() - begun,
        complete=clearing.complete,
        gap=gap,
        measures=measure(book, clearing.bid_fills, clearing.offer_fills, clearing.prices),
    )


def _clear(book: Book, seconds: float | None) -> tuple[Clearing, float]:
    clearing, found = clear_audited(book, seconds=seconds)
    _insist(found)
    return clearing, found.gap


def _clear_parts(book: Book, seconds: float | None) -> tuple[Clearing, float]:
    """Clear a book in the parts that nothing couples; each may take the time of a clearing."""
    cleared = [(part, _clear(part.book, seconds)[0]) for part in parts_of(book)]
    clearing = merge(book, cleared)
    found = audit.check(book, clearing)
    _insist(found)
    return clearing, found.gap


def _insist(found: audit.Audit) -> None:
    if not found.is_clean:
        counts = ", ".join(f"{code}: {count}" for code, count in sorted(found.counts.items()))
        raise ClearingFailed(counts)
