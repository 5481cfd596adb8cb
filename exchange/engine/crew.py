"""A book cleared part by part, in this process or in several, with the same bytes.

Each process takes one part after another, on one thread, with so much memory and no more. How a
book is cut does not depend on how many there are.
"""

import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

from exchange.engine.audit import Audit, check
from exchange.engine.book import Book
from exchange.engine.clearing import clear, clear_audited
from exchange.engine.components import Part, parts_of
from exchange.engine.merging import merge
from exchange.engine.outcome import Clearing

GIB: Final = 1 << 30
Work = Callable[[Part], Clearing]


def clear_with_workers(
    book: Book, *, workers: int, seconds: float | None = None, memory_gib: float | None = None
) -> tuple[Clearing, Audit]:
    """Clear a book in parts, and audit the whole.

    ``seconds`` is for all parts together; ``memory_gib`` for each process.
    :raises MemoryError: if a part needs more
    """
    parts = parts_of(book)
    if len(parts) < 2:  # noqa: PLR2004 - nothing to share out
        return clear_audited(book, seconds=seconds)
    busy = min(workers, len(parts))
    each = None if seconds is None else seconds * busy / len(parts)
    clearing = merge(book, list(zip(parts, _take(parts, each, busy, memory_gib), strict=True)))
    audit = check(book, clearing)
    return (clearing, audit) if audit.is_clean else clear_audited(book, seconds=seconds)


def _take(
    parts: list[Part], seconds: float | None, workers: int, memory_gib: float | None
) -> list[Clearing]:
    work = partial(_clear, seconds=seconds)
    if workers == 1:
        return [work(part) for part in parts]
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=limit_memory,
        initargs=(memory_gib,),
    ) as pool:
        return list(pool.map(work, parts))


def _clear(part: Part, *, seconds: float | None) -> Clearing:
    return clear(part.book, seconds=seconds)


def limit_memory(gib: float | None) -> None:
    """Let this process have so much memory of its own; more is a MemoryError, not the machine's."""
    if gib is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (int(gib * GIB), hard))
