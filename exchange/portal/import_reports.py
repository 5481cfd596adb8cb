"""What is wrong with an uploaded file, row by row, in the reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from exchange.portal.refusals import detail_for_reader, words_of
from exchange.services.csv_rows import CsvFault

SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class RowFault:
    """One fault; ``row`` is numbered as a spreadsheet does, 0 is the file as a whole."""

    row: int
    column: str
    code: str
    words: "str | Promise"
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """The faults that are shown, and how many there are in how many rows."""

    faults: tuple[RowFault, ...]
    count: int
    rows: int

    @property
    def hidden(self) -> int:
        """How many faults are not shown."""
        return self.count - len(self.faults)


def report_of(faults: Sequence[CsvFault]) -> Report:
    """Return the report of a refused file."""
    shown = (
        RowFault(f.row, f.column, f.code, words_of(f.code, f.detail), detail_for_reader(f.detail))
        for f in faults[:SHOWN_MAX]
    )
    return Report(tuple(shown), len(faults), len({f.row for f in faults}))
