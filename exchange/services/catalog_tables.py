"""The project's own tables of facts, read and checked: a bad row names its file, row and column."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.foundation.money import NotADecimal, parse_scaled
from exchange.models.columns import CODE_SHAPE

TABLES = Path(__file__).resolve().parents[1] / "catalog_tables"
REGION_COLUMNS = (
    *("code", "name", "name_zh", "hub", "side", "latitude", "longitude", "pue_max"),
    *("source_place", "source_pue"),
)
ACCELERATOR_COLUMNS = (
    *("code", "name", "vendor", "vendor_country", "kind", "domestic", "year", "memory_gb"),
    *("tflops", "watts", "grade", "source_tflops", "source_memory_watts"),
)
AI_MODEL_COLUMNS = (
    *("code", "name", "developer", "developer_country", "year", "params_total_b"),
    *("params_active_b", "context_tokens", "modality", "licence", "source"),
)


class TableRefused(Exception):
    """A table of the catalogue is malformed; nothing of it is loaded."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, which knows its place; the header is row 1."""

    file: str
    number: int
    cells: Mapping[str, str]

    def refuse(self, column: str, reason: str) -> TableRefused:
        """Return the refusal of one cell."""
        return TableRefused(f"{self.file}, row {self.number}, column {column}: {reason}")

    def text(self, column: str, *, needed: bool = True) -> str:
        """Return a cell that may not be empty if it is ``needed``."""
        cell = self.cells[column].strip()
        if needed and not cell:
            raise self.refuse(column, "it is empty")
        return cell

    def word(self, column: str, among: tuple[str, ...]) -> str:
        """Return a cell that is one of a few words."""
        cell = self.text(column)
        if cell not in among:
            raise self.refuse(column, f"{cell!r} is none of {', '.join(among)}")
        return cell

    def number_of(self, column: str, *, scale: int = 1) -> int:
        """Return a decimal cell times ``scale``, exactly."""
        try:
            return parse_scaled(self.text(column), scale=scale)
        except NotADecimal as error:
            raise self.refuse(column, str(error)) from error

    def number_if_known(self, column: str, *, scale: int = 1) -> int | None:
        """Return a decimal cell times ``scale``; None where no source gave a figure."""
        return self.number_of(column, scale=scale) if self.text(column, needed=False) else None


def read_table(file: str, columns: tuple[str, ...], folder: Path = TABLES) -> list[Row]:
    """Return the rows of a table with exactly these columns, their codes well formed and unique."""
    try:
        with (folder / file).open(encoding="utf-8", newline="") as stream:
            rows = list(_rows(file, columns, csv.reader(stream, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableRefused(f"{file}: cannot be read: {error}") from error
    seen: set[str] = set()
    for row in rows:
        code = row.text("code")
        if not re.fullmatch(CODE_SHAPE, code):
            raise row.refuse("code", f"{code!r} is no code")
        if code in seen:
            raise row.refuse("code", f"{code} stands there twice")
        seen.add(code)
    return rows


def _rows(file: str, columns: tuple[str, ...], lines: "Iterator[list[str]]") -> Iterator[Row]:
    header = next(lines, [])
    if tuple(header) != columns:
        raise TableRefused(f"{file}, row 1: the columns are not {', '.join(columns)}")
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(columns):
            raise TableRefused(f"{file}, row {number}: {len(cells)} cells, not {len(columns)}")
        yield Row(file, number, dict(zip(columns, cells, strict=True)))


def in_bounds(row: Row, column: str, found: int, holds: Callable[[int], bool]) -> int:
    """Return ``found`` if ``holds``; else the cell is refused."""
    if not holds(found):
        raise row.refuse(column, "it is out of bounds")
    return found
