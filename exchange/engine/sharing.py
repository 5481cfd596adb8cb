"""Dividing whole lots: pro rata by largest remainder, and in order (the north-west corner)."""

import numpy as np

from exchange.engine.book import Flags, Ints

FINE = 1_000_000  # Micro-lots, where a lot of a unit is not a whole lot of accelerators.


def share_pro_rata(key: Ints, weight: Ints, total: Ints) -> Ints:
    """Divide ``total[k]`` among the rows of key k by weight, by largest remainder, then by row.

    ``key`` is sorted; rows of one key stand in the order of their names. No row gets more than
    its weight as long as the total is no more than the sum of the weights.
    """
    if not len(key):
        return weight[:0]
    first = np.flatnonzero(np.diff(key, prepend=-1) != 0)
    group = np.cumsum(np.diff(key, prepend=-1) != 0) - 1
    sums = np.add.reduceat(weight, first)
    share = weight.copy()
    rest = np.flatnonzero((total[key] < sums[group]) & (weight > 0))
    # Exact whatever the size: Python's integers, but only where something is to be divided.
    product = total[key[rest]].astype(object) * weight[rest].astype(object)
    whole = product // sums[group[rest]].astype(object)
    remainder = product - whole * sums[group[rest]].astype(object)
    share[rest] = whole.astype(np.int64)
    left = np.minimum(total[key[first]], sums) - np.add.reduceat(share, first)
    order = np.lexsort((rest, [-r for r in remainder], group[rest]))
    ordered = group[rest[order]]
    begin = np.searchsorted(ordered, ordered)
    rank = np.arange(len(order)) - begin
    share[rest[order[rank < left[ordered]]]] += 1
    return share


def pair_in_order(left: tuple[Ints, Ints], right: tuple[Ints, Ints]) -> tuple[Ints, Ints, Ints]:
    """Lay two divisions of the same totals side by side: (left row, right row, amount).

    Each side is (key, amount) with keys sorted; per key both sides add up to the same.
    """
    ends = np.cumsum(left[1]), np.cumsum(right[1])
    cuts = np.unique(np.concatenate([[0], *ends]))
    begin, amount = cuts[:-1], np.diff(cuts)
    rows = [np.searchsorted(end, begin, side="right") for end in ends]
    return rows[0], rows[1], amount


def level(left: tuple[Ints, Ints], right: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Cut both sides' amounts so that per key they add up to the same: the smaller total.

    What is cut comes off the last rows of a key. Returns the two columns of amounts.
    """
    size = 1 + max(int(left[0].max(initial=-1)), int(right[0].max(initial=-1)))
    totals = [_sum(key, amount, size) for key, amount in (left, right)]
    least = np.minimum(totals[0], totals[1])
    return _cut(left, least), _cut(right, least)


def _cut(side: tuple[Ints, Ints], total: Ints) -> Ints:
    key, amount = side
    if not len(key):
        return amount
    upto = np.cumsum(amount)
    first: Flags = np.diff(key, prepend=-1) != 0
    base = (upto - amount)[first][np.cumsum(first) - 1]
    return np.asarray(np.clip(total[key] - (upto - amount - base), 0, amount))


def _sum(key: Ints, amount: Ints, size: int) -> Ints:
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, key, amount)
    return sums
