"""CSV to columns of bytes and back, a million rows at a time.

A column is a numpy array of fixed-width byte strings. Text without quotes is split where the
separators are, without visiting rows one by one; text with quotes goes through ``csv``.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.engine.book import Flags, Ints
from exchange.engine.problems import HEADER_ROW, PER_CHECK_MAX, Problems

Bytes = NDArray[np.bytes_]
Octets = NDArray[np.uint8]

FIELD_BYTES_MAX: Final = 4_096
TABLE_ROWS_MAX: Final = 20_000_000
_COMMA, _NEWLINE = ord(","), ord("\n")
_WORD: Final = 8
_KEPT: Final = np.array([256**kept - 1 for kept in range(_WORD + 1)], dtype="<u8")
_NEEDS_QUOTES: Final = (b",", b'"', b"\n", b"\r")


class _Fault(Exception):
    """Ends the reading of a file whose problems are noted."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The file that is read, and where its faults go."""

    file: str
    problems: Problems

    def refuse(self, code: str, row: int, column: str = "", *, detail: str) -> None:
        self.problems.add(code, self.file, row, column, detail=detail)


def parse_csv(
    text: bytes, file: str, columns: Sequence[str], problems: Problems
) -> dict[str, Bytes] | None:
    """Split a CSV file into its columns, in any order; None where problems were noted."""
    place = _Place(file, problems)
    try:
        text = _clean_text(text, place)
        return _split_quoted(text, columns, place) if b'"' in text else _split(text, columns, place)
    except _Fault:
        return None


def as_column(values: Sequence[str] | NDArray[np.str_] | Bytes) -> Bytes:
    """Turn in-memory strings into a column."""
    array = np.asarray(values)
    if array.dtype.kind == "S":
        return array
    if not array.size:
        return np.empty(0, dtype="S1")
    return np.char.encode(array.astype(np.str_), "utf-8")


def octets_of(column: Bytes) -> Octets:
    """View a column as a matrix of bytes, one row per value, padded with zeros."""
    width = column.dtype.itemsize
    return np.ascontiguousarray(column).view(np.uint8).reshape(len(column), width)


def text_column(texts: Sequence[str]) -> Bytes:
    """Return texts as a column."""
    column: Bytes = np.array([text.encode() for text in texts] or [b""], dtype=np.bytes_)
    return column[: len(texts)]


def format_csv(columns: Mapping[str, Bytes]) -> bytes:
    """Join columns into a CSV file with a header row and a newline after every record."""
    header = ",".join(columns).encode() + b"\n"
    values = [_quoted(column) for column in columns.values()]
    if not len(values[0]):
        return header
    rows = len(values[0])
    parts: list[Octets] = []
    for place, column in enumerate(values):
        end = _NEWLINE if place == len(values) - 1 else _COMMA
        parts += [octets_of(column), np.full((rows, 1), end, dtype=np.uint8)]
    body = np.concatenate(parts, axis=1).ravel()
    return header + bytes(body[body != 0])


def _clean_text(text: bytes, place: _Place) -> bytes:
    """Take off what may stand around the records: a byte order mark, empty lines at the end."""
    try:
        if not text.isascii():
            text.decode("utf-8")
    except UnicodeDecodeError as error:
        row = text.count(b"\n", 0, error.start) + 1
        place.refuse("encoding_bad", row, detail=f"byte {error.start} is not UTF-8")
        raise _Fault from error
    if (zero := text.find(b"\0")) >= 0:
        row = text.count(b"\n", 0, zero) + 1
        place.refuse("zero_byte", row, detail="a byte 0 is not text")
        raise _Fault
    text = text.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")
    if not text.strip():
        place.refuse("header_missing", HEADER_ROW, detail="the file is empty")
        raise _Fault
    return text + b"\n"


def _check_header(header: list[str], columns: Sequence[str], place: _Place) -> None:
    before = len(place.problems.found)
    for name in columns:
        if name not in header:
            place.refuse("column_missing", HEADER_ROW, name, detail=f"there is no column {name!r}")
    for name in dict.fromkeys(header):
        if name not in columns:
            place.refuse("column_unknown", HEADER_ROW, name, detail=f"{name!r} is not a column")
        elif header.count(name) > 1:
            place.refuse("column_repeated", HEADER_ROW, name, detail=f"{name!r} stands twice")
    if len(place.problems.found) > before:
        raise _Fault


def _split_quoted(text: bytes, columns: Sequence[str], place: _Place) -> dict[str, Bytes]:
    records = _read_records(text, place)
    header = records[0]
    _check_header(header, columns, place)
    for row, record in enumerate(records):
        if len(record) != len(header):
            _refuse_length(row + HEADER_ROW, len(record), len(header), place)
    if any(len(record) != len(header) for record in records):
        raise _Fault
    body = [[value.encode() for value in record] for record in records[1:]]
    _check_size(
        len(body), max((len(value) for record in body for value in record), default=0), place
    )
    return {
        name: np.array([record[row] for record in body] or [b""], dtype=np.bytes_)[: len(body)]
        for row, name in enumerate(header)
    }


def _read_records(text: bytes, place: _Place) -> list[list[str]]:
    records: list[list[str]] = []
    try:
        records.extend(csv.reader(io.StringIO(text.decode(), newline=""), strict=True))
    except csv.Error as error:
        place.refuse("quoting_bad", len(records) + 1, detail=str(error))
        raise _Fault from error
    return records


def _refuse_length(row: int, found: int, width: int, place: _Place) -> None:
    place.refuse("row_length", row, detail=f"{found} fields where the header has {width}")


def _check_size(rows: int, longest: int, place: _Place) -> None:
    if rows > TABLE_ROWS_MAX:
        place.refuse("table_too_long", 0, detail=f"more than {TABLE_ROWS_MAX:,} rows")
        raise _Fault
    if longest > FIELD_BYTES_MAX:
        place.refuse("field_too_long", 0, detail=f"a field of {longest:,} bytes")
        raise _Fault


def _split(text: bytes, columns: Sequence[str], place: _Place) -> dict[str, Bytes]:
    """Split text without quotes where its separators are."""
    header_end = text.index(b"\n")
    header = text[:header_end].decode().split(",")
    _check_header(header, columns, place)
    octets = np.frombuffer(text, dtype=np.uint8, offset=header_end + 1)
    width = len(header)
    ends = np.flatnonzero((octets == _COMMA) | (octets == _NEWLINE))
    _check_rectangle(octets[ends] == _NEWLINE, width, place)
    starts = np.concatenate([np.zeros(min(1, len(ends)), dtype=np.int64), ends[:-1] + 1])
    lengths = (ends - starts).reshape(-1, width)
    _check_size(len(lengths), int(lengths.max(initial=0)), place)
    starts = starts.reshape(-1, width)
    # The eight bytes from every place in the text on, as one number each: views, no copies.
    padded = text + bytes(_WORD)
    words = np.ndarray(len(octets), dtype="<u8", buffer=padded, offset=header_end + 1, strides=(1,))
    return {
        name: _cut(words, starts[:, column], lengths[:, column])
        for column, name in enumerate(header)
    }


def _check_rectangle(is_newline: Flags, width: int, place: _Place) -> None:
    rows = int(is_newline.sum())
    if len(is_newline) == rows * width and is_newline[width - 1 :: width].all():
        return
    fields = np.diff(np.flatnonzero(is_newline), prepend=-1)
    for row in np.flatnonzero(fields != width)[:PER_CHECK_MAX]:
        _refuse_length(int(row) + HEADER_ROW + 1, int(fields[row]), width, place)
    raise _Fault


def _cut(words: NDArray[np.uint64], starts: Ints, lengths: Ints) -> Bytes:
    """Gather the values of one column, eight bytes at a time."""
    width = int(lengths.max(initial=0))
    if not width:
        return np.zeros(len(starts), dtype="S1")
    steps = -(-width // _WORD)
    column = np.zeros((len(starts), steps), dtype="<u8")
    for step in range(steps):
        reached = np.flatnonzero(lengths > step * _WORD)
        kept = np.minimum(lengths[reached] - step * _WORD, _WORD)
        column[reached, step] = words[starts[reached] + step * _WORD] & _KEPT[kept]
    return column.view(f"S{steps * _WORD}").ravel().astype(f"S{width}")


def _quoted(column: Bytes) -> Bytes:
    octets = octets_of(column)
    if not any((octets == ord(mark)).any() for mark in _NEEDS_QUOTES):
        return column
    return np.array([_quote(value) for value in column.tolist()], dtype=np.bytes_)


def _quote(value: bytes) -> bytes:
    if any(mark in value for mark in _NEEDS_QUOTES):
        return b'"' + value.replace(b'"', b'""') + b'"'
    return value
