"""Decimal strings to whole numbers and back, exactly and by the column.

A float is never in between: ``0.1`` at three places is 100, whatever binary fractions think.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.engine.book import Flags, Ints
from exchange.engine.csv_text import Bytes, Octets, octets_of

DIGITS_MAX: Final = 18  # Any 18 digits fit an int64.
_ZERO, _DOT, _MINUS = ord("0"), ord("."), ord("-")
_BASE: Final = 10


@dataclass(frozen=True, slots=True)
class Decimals:
    """A parsed column: ``values`` in units of ``10 ** -places``; 0 where it could not be read.

    ``empty``, ``malformed`` (not a plain decimal), ``too_long`` (more than 18 digits at this many
    places) and ``too_fine`` (a digit other than 0 beyond the places) exclude one another.
    """

    values: Ints
    empty: Flags
    malformed: Flags
    too_long: Flags
    too_fine: Flags

    @property
    def good(self) -> Flags:
        """Rows that hold a number."""
        return ~(self.empty | self.malformed | self.too_long | self.too_fine)


def parse_decimals(column: Bytes, places: int) -> Decimals:
    """Read ``[-]digits[.digits]`` from every row; no signs of plus, exponents or spaces."""
    octets = octets_of(column)
    scan = _Scan(octets, places)
    for place in range(octets.shape[1]):
        scan.take(octets[:, place], place)
    empty = np.asarray(octets[:, 0] == 0)
    malformed = (scan.malformed | ~scan.seen) & ~empty
    missing = places - np.clip(scan.fraction, 0, places)
    too_long = ~malformed & (scan.digits + missing > DIGITS_MAX) & (scan.values > 0)
    too_fine = scan.too_fine & ~malformed & ~too_long
    bad = malformed | too_long | too_fine
    scale = _BASE ** np.where(bad, 0, missing)
    values = np.where(bad, 0, scan.values * scale * np.where(scan.minus, -1, 1))
    return Decimals(values, empty, malformed, too_long, too_fine)


class _Scan:
    """All rows read from left to right at once, one character at a time."""

    def __init__(self, octets: Octets, places: int) -> None:
        rows = len(octets)
        self._places = places
        self.minus: Flags = np.asarray(octets[:, 0] == _MINUS)
        self.values = np.zeros(rows, dtype=np.int64)
        self.digits = np.zeros(rows, dtype=np.int64)  # that count: not the zeros in front
        self.fraction = np.full(rows, -1, dtype=np.int64)  # digits after the point; -1 before it
        self.seen = np.zeros(rows, dtype=np.bool_)
        self.malformed = np.zeros(rows, dtype=np.bool_)
        self.too_fine = np.zeros(rows, dtype=np.bool_)

    def take(self, mark: Octets, place: int) -> None:
        """Read one more character of every row; 0 is the padding after its end."""
        digit = mark - np.uint8(_ZERO)
        is_digit = digit < _BASE
        is_dot = (mark == _DOT) & (self.fraction < 0)
        ignored = (mark == 0) | (self.minus & (place == 0))
        self.malformed |= ~(is_digit | is_dot | ignored)
        kept = is_digit & (self.fraction < self._places)
        self.too_fine |= is_digit & ~kept & (digit != 0)
        fits = kept & (self.digits < DIGITS_MAX)
        self.values = np.where(fits, self.values * _BASE + digit, self.values)
        self.digits += kept & (self.values > 0)
        self.fraction += (is_digit & (self.fraction >= 0)) | is_dot
        self.seen |= is_digit


def format_decimals(values: Ints, places: int) -> Bytes:
    """Write whole numbers of ``10 ** -places`` with exactly that many decimals."""
    distinct, rows = np.unique(values, return_inverse=True)
    texts = [decimal_text(int(value), places).encode() for value in distinct]
    return np.array(texts or [b""], dtype=np.bytes_)[rows]


def format_normal(values: Ints, places: int) -> Bytes:
    """Write whole numbers of ``10 ** -places`` without zeros at the end."""
    distinct, rows = np.unique(values, return_inverse=True)
    texts = [normal_text(int(value), places).encode() for value in distinct]
    return np.array(texts or [b""], dtype=np.bytes_)[rows]


def decimal_text(value: int, places: int) -> str:
    """Write one whole number of ``10 ** -places`` with exactly that many decimals."""
    sign = "-" if value < 0 else ""
    if not places:
        return f"{sign}{abs(value)}"
    whole, fraction = divmod(abs(value), _BASE**places)
    return f"{sign}{whole}.{fraction:0{places}d}"


def normal_text(value: int, places: int) -> str:
    """Write one whole number of ``10 ** -places`` as short as it goes."""
    text = decimal_text(value, places)
    return text.rstrip("0").rstrip(".") if "." in text else text
