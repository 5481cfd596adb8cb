"""Columns of names: their order, and where a name stands in it."""

import numpy as np
from numpy.typing import NDArray

from exchange.engine.book import Ints, Names
from exchange.engine.csv_text import Bytes, Octets, octets_of

_WORD = 8
_SHIFT = np.uint64(29)
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_ASCII_END = 128


def name_order(column: Bytes) -> Ints:
    """Give the permutation that sorts names by code point; equal names keep their order."""
    if not len(column):
        return np.empty(0, dtype=np.int64)
    # Eight bytes read as one big-endian number compare as the bytes do; UTF-8 as code points do.
    keys = _padded(column, _words(column)).view(">u8").astype(np.uint64)
    return np.lexsort(keys.T[::-1]).astype(np.int64)


def to_names(column: Bytes) -> Names:
    """Decode a column of UTF-8."""
    if not len(column):
        return np.empty(0, dtype="U1")
    octets = octets_of(column)
    if (octets < _ASCII_END).all():
        return octets.astype(np.uint32).view(f"U{octets.shape[1]}").ravel()
    return np.char.decode(column, "utf-8")


def to_column(names: Names) -> Bytes:
    """Encode names as UTF-8."""
    if not len(names):
        return np.empty(0, dtype="S1")
    points = np.ascontiguousarray(names).view(np.uint32).reshape(len(names), -1)
    if (points < _ASCII_END).all():
        return points.astype(np.uint8).view(f"S{points.shape[1]}").ravel()
    return np.char.encode(names, "utf-8")


def find_names(column: Bytes, among: Bytes) -> Ints:
    """Give for each name its first row in ``among``; -1 where it is not there."""
    if not len(column) or not len(among):
        return np.full(len(column), -1, dtype=np.int64)
    words = max(_words(column), _words(among))
    there = _numbers(among, words)
    order = np.argsort(there, kind="stable")
    place = np.searchsorted(there[order], wanted := _numbers(column, words))
    row = order[np.minimum(place, len(order) - 1)]
    found = np.where(there[row] == wanted, row, -1)
    wrong = np.flatnonzero((found >= 0) & (column != among[row]))
    if len(wrong):  # two names of one number
        rows = {name: row for row, name in reversed(list(enumerate(among.tolist())))}
        found[wrong] = [rows.get(name, -1) for name in column[wrong].tolist()]
    return np.asarray(found, dtype=np.int64)


def _words(column: Bytes) -> int:
    return -(-column.dtype.itemsize // _WORD)


def _padded(column: Bytes, words: int) -> Octets:
    octets = octets_of(column)
    padded = np.zeros((len(column), words * _WORD), dtype=np.uint8)
    padded[:, : octets.shape[1]] = octets
    return padded


def _numbers(column: Bytes, words: int) -> NDArray[np.uint64]:
    """Make a number of each name: its bytes if they are eight at most, else well mixed."""
    keys = _padded(column, words).view("<u8")
    numbers = keys[:, 0].astype(np.uint64)
    for word in range(1, words):
        numbers = (numbers ^ (numbers >> _SHIFT)) * _MIXER + keys[:, word]
    return numbers
