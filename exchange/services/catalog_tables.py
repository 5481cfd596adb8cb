"""The catalogue's own CSV files, read strictly: file, row and column of every fault."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.foundation.money import MICROS, NotADecimal, parse_scaled
from exchange.models.chips import MODALITIES, AcceleratorKind, Grade
from exchange.models.columns import CODE_LENGTH_MAX, CODE_SHAPE

TABLES_DIR: Final = Path(__file__).resolve().parents[1] / "catalog_tables"
YEARS: Final = range(1990, 2100)
TEXT_LENGTH_MAX: Final = 400
BILLION: Final = 10**9


@dataclass(frozen=True, slots=True)
class TableFault:
    """Something wrong in a table; ``row`` counts from 1 with the header."""

    file: str
    row: int
    column: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}, column {self.column}: {self.detail} ({self.code})"


class TablesRefused(Exception):
    """The tables are malformed; nothing was loaded."""

    def __init__(self, faults: list[TableFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class _Fault(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


Value = str | int | None
Row = dict[str, Value]
Reader = Callable[[str], Value]


def text(cell: str) -> str:
    """Read text that must be there."""
    if not cell:
        raise _Fault("value_missing", "a value is needed")
    return words(cell)


def words(cell: str) -> str:
    """Read text that may be empty."""
    if cell != cell.strip() or not cell.isprintable() or len(cell) > TEXT_LENGTH_MAX:
        raise _Fault("text_bad", "plain text without space at its ends, and not too long")
    return cell


def code(cell: str) -> str:
    """Read a short name in lower case."""
    if not re.fullmatch(CODE_SHAPE, cell) or len(cell) > CODE_LENGTH_MAX:
        raise _Fault("code_bad", f"{cell[:40]!r} is no lower-case code")
    return cell


def one_of(*known: str) -> Reader:
    """Return a reader of one of these words."""

    def read(cell: str) -> str:
        if cell not in known:
            raise _Fault("word_unknown", f"must be one of {', '.join(known)}")
        return cell

    return read


def scaled(scale: int, least: int, most: int, *, needed: bool = True) -> Reader:
    """Return a reader of decimals times ``scale``, from ``least`` to ``most`` of the scaled."""

    def read(cell: str) -> int | None:
        if not cell and not needed:
            return None
        try:
            number = parse_scaled(cell, scale=scale)
        except NotADecimal as wrong:
            raise _Fault("number_bad", str(wrong)) from wrong
        if not least <= number <= most:
            raise _Fault("number_out_of_range", f"{cell} is out of range")
        return number

    return read


year = scaled(1, YEARS.start, YEARS.stop - 1, needed=False)
TABLES: Final[Mapping[str, Mapping[str, Reader]]] = {
    "regions.csv": {
        "code": code,
        "name": text,
        "name_zh": words,
        "hub": text,
        "side": one_of("east", "west"),
        "latitude": scaled(MICROS, -90 * MICROS, 90 * MICROS),
        "longitude": scaled(MICROS, -180 * MICROS, 180 * MICROS),
        "pue_max": scaled(MICROS, MICROS, 10 * MICROS),
        "operator": text,
        "source": text,
    },
    "accelerators.csv": {
        "code": code,
        "name": text,
        "vendor": text,
        "vendor_country": text,
        "kind": one_of(*AcceleratorKind.values),
        "year": year,
        "memory_gb": scaled(1, 1, 100_000, needed=False),
        "tflops": scaled(MICROS, 1, 10**12, needed=False),
        "watts": scaled(MICROS, 1, 10**12, needed=False),
        "grade": one_of(*Grade.values),
        "source": text,
    },
    "ai_models.csv": {
        "code": code,
        "name": text,
        "developer": words,
        "developer_country": words,
        "year": year,
        "params_billions": scaled(BILLION, 1, 10**6 * BILLION),
        "active_billions": scaled(BILLION, 1, 10**6 * BILLION, needed=False),
        "context_tokens": scaled(1, 1, 10**9, needed=False),
        "modality": one_of(*MODALITIES),
        "licence": words,
        "source": text,
    },
}


def read_tables(folder: Path = TABLES_DIR) -> dict[str, list[Row]]:
    """Read all tables of a folder. Raises TablesRefused with every fault of every file."""
    faults: list[TableFault] = []
    found = {file: _read_table(folder / file, columns, faults) for file, columns in TABLES.items()}
    if faults:
        raise TablesRefused(faults)
    return found


def _read_table(path: Path, columns: Mapping[str, Reader], faults: list[TableFault]) -> list[Row]:
    records = _records(path, faults)
    if not records:
        return []
    header = records[0]
    if header != list(columns):
        expected = ",".join(columns)
        faults.append(TableFault(path.name, 1, "", "header_bad", f"must be {expected}"))
        return []
    rows: list[Row] = []
    seen: set[str] = set()
    for number, record in enumerate(records[1:], 2):
        rows.append(_read_row(path.name, number, record, columns, faults))
        if record and record[0] in seen:
            fault = TableFault(path.name, number, "code", "code_repeated", "stands in a row above")
            faults.append(fault)
        seen.update(record[:1])
    return rows


def _records(path: Path, faults: list[TableFault]) -> list[list[str]]:
    try:
        content = path.read_bytes().decode("utf-8-sig")
        records = list(csv.reader(io.StringIO(content, newline=""), strict=True))
    except FileNotFoundError:
        faults.append(TableFault(path.name, 0, "", "file_missing", "there is no such file"))
    except (UnicodeDecodeError, csv.Error) as wrong:
        faults.append(TableFault(path.name, 0, "", "file_malformed", str(wrong)))
    else:
        if records:
            return records
        faults.append(TableFault(path.name, 0, "", "file_empty", "there is no header"))
    return []


def _read_row(  # noqa: PLR0917  (a place, its cells, and where faults go)
    file: str,
    number: int,
    record: list[str],
    columns: Mapping[str, Reader],
    faults: list[TableFault],
) -> Row:
    if len(record) != len(columns):
        detail = f"{len(record)} cells where the header has {len(columns)}"
        faults.append(TableFault(file, number, "", "row_length", detail))
        return {}
    row: Row = {}
    for (name, reader), cell in zip(columns.items(), record, strict=True):
        try:
            row[name] = reader(cell)
        except _Fault as wrong:
            faults.append(TableFault(file, number, name, wrong.code, str(wrong)))
    return row
