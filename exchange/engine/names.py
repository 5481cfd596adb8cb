"""Columns of names: their order, and where a name stands in it."""

import numpy as np

from exchange.engine.book import Ints, Names
from exchange.engine.csv_text import Bytes, octets_of

_WORD = 8
_ASCII_END = 128


def name_order(column: Bytes) -> Ints:
    """Give the permutation that sorts names by code point; equal names keep their order."""
    if not len(column):
        return np.empty(0, dtype=np.int64)
    octets = octets_of(column)
    words = -(-octets.shape[1] // _WORD)
    padded = np.zeros((len(column), words * _WORD), dtype=np.uint8)
    padded[:, : octets.shape[1]] = octets
    # Eight bytes read as one big-endian number compare as the bytes do; UTF-8 as code points do.
    keys = padded.view(">u8").astype(np.uint64)
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
    where = {name: row for row, name in reversed(list(enumerate(among.tolist())))}
    found = [where.get(name, -1) for name in column.tolist()]
    return np.array(found, dtype=np.int64)
