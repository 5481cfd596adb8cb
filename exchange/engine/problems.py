"""What is wrong with a book or a result on disk, and where."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from exchange.engine.book import Flags

PROBLEMS_MAX: Final = 1_000  # Enough to mend a file by; a bad column of a million rows is one fact.
PER_CHECK_MAX: Final = 20
HEADER_ROW: Final = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: a stable code, its place, and words for a person.

    ``row`` is the line in the file with the header as line 1 (for a quoted field that spans
    lines: the record); 0 where the fault is not in one row. ``column`` is empty where it is
    not in one column.
    """

    code: str
    file: str
    row: int
    column: str
    detail: str

    def __str__(self) -> str:
        """Say place, code and reason in one line."""
        row = f":{self.row}" if self.row else ""
        column = f" {self.column}" if self.column else ""
        return f"{self.file}{row}{column}: {self.code}: {self.detail}"


class FolderRefused(Exception):
    """A folder that cannot be accepted, with every problem that was found."""

    def __init__(self, problems: list[Problem]) -> None:
        """Keep the problems; there is at least one."""
        assert problems
        self.problems = problems
        super().__init__("; ".join(str(problem) for problem in problems[:3]))


class BookRefused(FolderRefused):
    """A malformed or inconsistent order book."""


class ResultRefused(FolderRefused):
    """A malformed result, or one that belongs to another book."""


@dataclass(slots=True)
class Problems:
    """Problems found so far; raised together, so that a sender can mend all of them at once."""

    refusal: type[FolderRefused]
    found: list[Problem] = field(default_factory=list)

    def add(self, code: str, file: str, row: int, column: str = "", *, detail: str) -> None:
        """Note one problem."""
        if len(self.found) < PROBLEMS_MAX:
            self.found.append(Problem(code, file, row, column, detail))

    def add_rows(self, code: str, file: str, bad: Flags, column: str, *, detail: str) -> None:
        """Note the first rows that ``bad`` flags; rows count from the one after the header."""
        for index in np.flatnonzero(bad)[:PER_CHECK_MAX]:
            self.add(code, file, int(index) + HEADER_ROW + 1, column, detail=detail)

    def raise_any(self) -> None:
        """Refuse if anything was found."""
        if self.found:
            raise self.refusal(self.found)
