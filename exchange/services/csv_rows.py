"""A CSV file of one kind of rows, as text cells with their places; every fault is noted.

Rows are numbered as a spreadsheet numbers them: the header is row 1.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from exchange.services.fault_codes import FAULT_CODES
from exchange.services.faults import Faults, shown

BYTES_MAX: Final = 4 * 1024 * 1024
ROWS_MAX: Final = 5_000
CELL_MAX: Final = 200
HEADER_ROW: Final = 1


@dataclass(frozen=True, slots=True)
class CsvFault:
    """A fault in one cell, row (``column`` empty) or the whole file (``row`` 0)."""

    row: int
    column: str
    code: str
    detail: str

    def __post_init__(self) -> None:
        assert self.code in FAULT_CODES, f"{self.code} is not documented"

    def as_error(self) -> dict[str, Any]:
        """Return the entry that problem+json lists under ``errors``."""
        place = "/".join(part for part in (str(self.row or ""), self.column) if part)
        pointer = f"/{place}" if place else ""
        return {"pointer": pointer, "code": self.code, "detail": self.detail} | {
            "row": self.row,
            "column": self.column,
        }


class FileRefused(Exception):
    """A CSV file was not taken, not even in part; ``faults`` say why, row by row."""

    def __init__(self, faults: Sequence[CsvFault]) -> None:
        """Keep the faults; there is at least one."""
        assert faults
        self.faults = tuple(faults)
        super().__init__(f"nothing was imported: {len(faults)} faults were found")

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The faults as problem+json lists them, with their row and column."""
        return [fault.as_error() for fault in self.faults]


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row: its number, and its cells by their column's name."""

    number: int
    cells: dict[str, str]


def row_faults(number: int, faults: Faults) -> list[CsvFault]:
    """Return the faults of a row's cells with their place in the file."""
    return [
        CsvFault(number, fault.pointer.removeprefix("/"), fault.code, fault.detail)
        for fault in faults.found
    ]


def read_rows(
    raw: bytes,
    *,
    needed: Sequence[str],
    optional: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> list[CsvRow]:
    """Return the rows of a file. Raises FileRefused for what is no such table at all.

    The header names the columns, in any order; a byte order mark is passed over. Columns that are
    ``unread`` may stand in the file, and their cells are left out of the rows.
    """
    lines = list(_records(_decode(raw)))
    if not lines:
        raise _refused(0, "csv_empty", "the file is empty")
    (_, header), rows = lines[0], lines[1:]
    _check_header(header, needed, (*optional, *unread))
    if not rows:
        raise _refused(0, "csv_no_rows", "there is nothing below the header")
    if len(rows) > ROWS_MAX:
        raise _refused(0, "csv_too_many_rows", f"at most {ROWS_MAX} rows")
    faults = [fault for number, cells in rows for fault in _row_shape(number, cells, header)]
    if faults:
        raise FileRefused(faults)
    return [
        CsvRow(
            number,
            {name: cell for name, cell in zip(header, cells, strict=True) if name not in unread},
        )
        for number, cells in rows
    ]


def _decode(raw: bytes) -> str:
    if len(raw) > BYTES_MAX:
        raise _refused(0, "csv_too_large", f"at most {BYTES_MAX} bytes")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        row = raw.count(b"\n", 0, wrong.start) + HEADER_ROW
        raise _refused(row, "csv_encoding", "the file is not UTF-8") from wrong
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + HEADER_ROW
        raise _refused(row, "csv_nul", "there is a NUL in the file")
    return text


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and cells of every record; wholly empty lines are passed over."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    number = HEADER_ROW
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            raise _refused(number, "csv_quoting", str(wrong)) from wrong
        if cells:
            yield number, cells
        number = reader.line_num + 1


def _check_header(header: list[str], needed: Sequence[str], optional: Sequence[str]) -> None:
    known = (*needed, *optional)
    twice = sorted({name for name in header if header.count(name) > 1})
    unknown = [name for name in header if name not in known]
    missing = [name for name in needed if name not in header]
    detail = f"known are {', '.join(known)}"
    faults = [
        *(_header_fault(name, "csv_column_repeated", "the column stands twice") for name in twice),
        *(_header_fault(name, "csv_column_unknown", detail) for name in unknown),
        *(_header_fault(name, "csv_column_missing", "the column is needed") for name in missing),
    ]
    if faults:
        raise FileRefused(faults)


def _header_fault(name: str, code: str, detail: str) -> CsvFault:
    return CsvFault(HEADER_ROW, shown(name), code, detail)


def _row_shape(number: int, cells: list[str], header: list[str]) -> Iterator[CsvFault]:
    if len(cells) != len(header):
        detail = f"{len(cells)} cells, not {len(header)}"
        code = "csv_row_short" if len(cells) < len(header) else "csv_row_long"
        yield CsvFault(number, "", code, detail)
        return
    for name, cell in zip(header, cells, strict=True):
        if len(cell) > CELL_MAX:
            yield CsvFault(number, name, "csv_cell_too_long", f"at most {CELL_MAX} characters")


def _refused(row: int, code: str, detail: str) -> FileRefused:
    return FileRefused([CsvFault(row, "", code, detail)])
