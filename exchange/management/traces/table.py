"""Reading a trace's CSV file: plain or gzip, refused with the file, the row and the column."""

import csv
import gzip
import math
from collections.abc import Iterator, Mapping
from pathlib import Path


class TraceRefused(Exception):
    """A trace is not what its publisher documents; the text names file, row and column."""


def rows(path: Path, *, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield (row number, row) of a CSV file that must have ``columns``; the header is row 1."""
    try:
        yield from _rows(path, columns)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise TraceRefused(f"{path.name}: cannot be read: {error}") from error


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        missing = [name for name in columns if name not in (table.fieldnames or ())]
        if missing:
            raise TraceRefused(f"{path.name}, row 1: no column {', '.join(missing)}")
        for number, row in enumerate(table, start=2):
            if None in row or None in row.values():
                raise TraceRefused(f"{path.name}, row {number}: not as many cells as columns")
            yield number, row


def number(
    path: Path, row: int, cells: Mapping[str, str], column: str, *, above: float = 0.0
) -> float:
    """Return a cell as a finite number greater than ``above``."""
    try:
        found = float(cells[column])
    except ValueError:
        found = math.nan
    if not math.isfinite(found) or found <= above:
        text = f"{cells[column]!r} is not a number above {above:g}"
        raise TraceRefused(f"{path.name}, row {row}, column {column}: {text}")
    return found
