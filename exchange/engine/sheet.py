"""One table of a book or result while it is read: typed columns, with every fault noted.

A row that has one fault is left out of the checks that come after, so that a typing error is
reported once and not as three consequences.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from exchange.engine.book import Flags, Ints
from exchange.engine.csv_text import Bytes, Octets, octets_of
from exchange.engine.decimals import parse_decimals
from exchange.engine.names import find_names, name_order
from exchange.engine.problems import PER_CHECK_MAX, Problems

NAME_BYTES_MAX: Final = 200
_SPACE, _DELETE = 32, 127
_NOT_FINITE: Final = {b"nan", b"inf", b"infinity"}


class Sheet:
    """The columns of one file, and which rows were found faulty."""

    def __init__(self, file: str, columns: Mapping[str, Bytes], problems: Problems) -> None:
        self.file = file
        self.problems = problems
        self._columns = columns
        self.rows = len(next(iter(columns.values())))
        self.bad: Flags = np.zeros(self.rows, dtype=np.bool_)

    def text(self, column: str) -> Bytes:
        """Give a column as it stands."""
        return self._columns[column]

    def is_empty(self, column: str) -> Flags:
        """Flag the rows where a column is not set."""
        return np.asarray(octets_of(self.text(column))[:, 0] == 0)

    def refuse(self, code: str, where: Flags, column: str, detail: str) -> None:
        """Note a fault in the rows flagged, except those that had one already."""
        faulty = where & ~self.bad
        self.problems.add_rows(code, self.file, faulty, column, detail=detail)
        self.bad = self.bad | faulty

    def number(
        self,
        column: str,
        *,
        places: int,
        most: int,
        fine: str,
        empty: int | None = None,
        least: int = 0,
    ) -> Ints:
        """Read a decimal column in units of ``10 ** -places``, from ``least`` to ``most``.

        ``fine`` is the code for a digit beyond the places; ``empty`` the value of an empty cell,
        or None where one is not allowed.
        """
        parsed = parse_decimals(self.text(column), places)
        self._refuse_malformed(column, parsed.malformed)
        self.refuse("number_too_large", parsed.too_long, column, "the number is too long")
        self.refuse(fine, parsed.too_fine, column, f"at most {places} decimals")
        if empty is None:
            self.refuse("value_missing", parsed.empty, column, "a value is needed")
        self.refuse("number_negative", parsed.values < least, column, "may not be negative")
        detail = f"must be at most {most // 10**places}"
        self.refuse("number_too_large", parsed.values > most, column, detail)
        usable = parsed.good & (parsed.values >= least) & (parsed.values <= most)
        return np.where(usable, parsed.values, empty or 0)

    def name(self, column: str) -> Bytes:
        """Read a column of names that may not be empty."""
        self.refuse("name_missing", self.is_empty(column), column, "a name is needed")
        return self.optional_name(column)

    def optional_name(self, column: str) -> Bytes:
        """Read a column of names: no control characters, no space at the ends, not too long."""
        octets = octets_of(self.text(column))
        ends = (octets[:, 0] == _SPACE) | (_last(octets) == _SPACE)
        control = ((octets < _SPACE) & (octets > 0)).any(axis=1) | (octets == _DELETE).any(axis=1)
        self.refuse("name_bad", ends | control, column, "control characters, or space at an end")
        if octets.shape[1] > NAME_BYTES_MAX:
            long = octets[:, NAME_BYTES_MAX] > 0
            self.refuse("name_too_long", long, column, f"more than {NAME_BYTES_MAX} bytes")
        return self.text(column)

    def key(self, column: str, code: str) -> Bytes:
        """Read the names that identify the rows; a repeated one is refused with ``code``."""
        names = self.name(column)
        order = name_order(names)
        again = np.zeros(self.rows, dtype=np.bool_)
        again[order[1:]] = names[order[1:]] == names[order[:-1]]
        self.refuse(code, again, column, "the name stands in an earlier row")
        return names

    def reference(self, column: str, among: Bytes, code: str) -> Ints:
        """Read names that must stand in ``among``; give their rows there (0 where refused)."""
        self.refuse("name_missing", self.is_empty(column), column, "a name is needed")
        found = find_names(self.text(column), among)
        self.refuse(code, found < 0, column, "there is no such name")
        return np.maximum(found, 0)

    def _refuse_malformed(self, column: str, malformed: Flags) -> None:
        for row in np.flatnonzero(malformed)[:PER_CHECK_MAX]:
            here = np.zeros(self.rows, dtype=np.bool_)
            here[row] = True
            value = bytes(self.text(column)[row])
            if value.lower().lstrip(b"+-") in _NOT_FINITE:
                self.refuse("number_not_finite", here, column, "must be finite")
            else:
                self.refuse("number_malformed", here, column, f"{_shown(value)} is no decimal")
        self.bad = self.bad | malformed


def _last(octets: Octets) -> Octets:
    lengths = (octets != 0).sum(axis=1)
    return np.asarray(octets[np.arange(len(octets)), np.maximum(lengths, 1) - 1])


def _shown(value: bytes) -> str:
    return repr(value[:40].decode("utf-8", "replace"))
