"""From folder to folder: clear a book on disk, and check a result on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from exchange.engine.audit import Audit, check
from exchange.engine.book import Book
from exchange.engine.clearing import clear_audited
from exchange.engine.crew import clear_with_workers
from exchange.engine.decimals import decimal_text
from exchange.engine.files import read_book, read_result, write_result
from exchange.engine.layout import MICRO_PLACES
from exchange.engine.outcome import Clearing

_Answer = TypeVar("_Answer")


class ResultFailed(Exception):
    """A clearing broke a promise; it was not written."""

    def __init__(self, audit: Audit) -> None:
        self.audit = audit
        super().__init__(f"{sum(audit.counts.values())} promises broken")


class Stopwatch:
    """Seconds by step, on a clock that is handed in."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: dict[str, float] = {}

    def run(self, step: str, work: Callable[[], _Answer]) -> _Answer:
        """Do some work and note how long it took."""
        started = self._clock()
        answer = work()
        self.seconds[step] = round(self._clock() - started, 6)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a clearing may use: seconds in all, processes, and memory for each; None: no limit.

    With ``workers`` the book is cut where nothing couples it, into the same parts for any number.
    """

    seconds: float | None = None
    workers: int | None = None
    memory_gib: float | None = None

    def clear(self, book: Book) -> tuple[Clearing, Audit]:
        """Clear and audit a book."""
        if self.workers is None:
            return clear_audited(book, seconds=self.seconds)
        return clear_with_workers(
            book, workers=self.workers, seconds=self.seconds, memory_gib=self.memory_gib
        )


def clear_folder(
    book_folder: Path, result_folder: Path, *, means: Means, clock: Callable[[], float]
) -> Audit:
    """Read a book, clear it, audit the clearing, and write it if it keeps every promise.

    :raises BookRefused: if the book is malformed; nothing is written
    :raises ResultFailed: if the audit fails; nothing is written
    """
    watch = Stopwatch(clock)
    book = watch.run("read", lambda: read_book(book_folder))
    clearing, audit = watch.run("clear", lambda: means.clear(book))
    if not audit.is_clean:
        raise ResultFailed(audit)
    write_result(book, clearing, result_folder, timing=watch.seconds)
    return audit


def check_folder(book_folder: Path, result_folder: Path) -> Audit:
    """Check a result on disk against its book.

    :raises BookRefused: if the book is malformed
    :raises ResultRefused: if the result is malformed, or another book's
    """
    book = read_book(book_folder)
    return check(book, read_result(book, result_folder))


def audit_lines(audit: Audit) -> list[str]:
    """Say what an audit found: each failure with what it concerns, then the proof."""
    lines = [str(failure) for failure in audit.failures]
    for code, count in sorted(audit.counts.items()):
        named = sum(failure.code == code for failure in audit.failures)
        if count > named:
            lines.append(f"{code}: {count - named} more")
    lines += [f"rejected winner: {name}" for name in audit.rejected_winners]
    welfare = audit.welfare_micros.numerator // audit.welfare_micros.denominator
    regret = -(-audit.regret_micros.numerator // audit.regret_micros.denominator)
    return [
        *lines,
        f"failures: {sum(audit.counts.values())}",
        f"rejected winners: {len(audit.rejected_winners)}",
        f"regret: {decimal_text(regret, MICRO_PLACES)}",
        f"welfare: {decimal_text(welfare, MICRO_PLACES)}",
        f"proved bound: {decimal_text(audit.bound_micros, MICRO_PLACES)}",
        f"proved gap: {audit.gap:.12f}",
    ]
