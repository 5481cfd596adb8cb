"""Equal rows and equal lists, numbered: a million of them without looking at each."""

from typing import Final

import numpy as np

from exchange.engine.book import Ints

_COUNTED_MAX: Final = 1 << 22  # So many numbers are counted rather than sorted.
_CODES_MAX: Final = 1 << 62


def distinct_rows(keys: tuple[Ints, ...]) -> tuple[list[Ints], Ints]:
    """Number the distinct rows of several columns: their columns, and each row's number.

    The numbers are in the order of the rows' contents, the first column before the second.
    """
    first, code = number_rows(keys)
    return [key[first] for key in keys], code


def number_rows(keys: tuple[Ints, ...]) -> tuple[Ints, Ints]:
    """Number the distinct rows likewise: the first row of each, and each row's number."""
    code, codes = np.zeros(len(keys[0]), dtype=np.int64), 1
    for key in keys:
        first, rank = _number(key)
        ranks = max(1, len(first))
        if (codes * ranks > _COUNTED_MAX and codes <= _COUNTED_MAX) or codes * ranks > _CODES_MAX:
            first, code = _number(code)
            codes = max(1, len(first))
        code, codes = code * ranks + rank, codes * ranks
    return _number(code)


def number_lists(start: Ints, *values: Ints) -> Ints:
    """Number lists, or several side by side: equal numbers exactly where all are equal."""
    lengths = np.diff(start)
    code = lengths.copy()
    codes = int(lengths.max(initial=0)) + 1
    for place in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > place)
        columns = (each[start[rows] + place] for each in values)
        first, further = number_rows((code[rows], *columns))
        code[rows] = codes + further
        codes += len(first)
    return _number(code)[1]


def _number(values: Ints) -> tuple[Ints, Ints]:
    """Give the first row of each distinct value, in order, and each row's rank among them."""
    if not len(values):
        return values, values
    least = int(values.min())
    span = int(values.max()) - least + 1
    if span > _COUNTED_MAX:
        _, first, rank = np.unique(values, return_index=True, return_inverse=True)
        return first.astype(np.int64), rank.astype(np.int64)
    first_of = np.full(span, -1, dtype=np.int64)
    first_of[(values - least)[::-1]] = np.arange(len(values) - 1, -1, -1)
    there = first_of >= 0
    return first_of[there], (np.cumsum(there) - 1)[values - least]
