"""Tables as files: CSV for spreadsheets and JSON for programs, of the same columns and rows."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

Row = tuple[Any, ...]
Table = tuple[tuple[str, ...], Iterable[Row]]
Write = Callable[[tuple[str, ...], Iterable[Row]], Iterator[str]]


def _csv(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    yield text.getvalue()


def _json(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    yield json.dumps([dict(zip(columns, row, strict=True)) for row in rows])


FORMS: Final[dict[str, tuple[str, Write]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "json": ("application/json", _json),
}
