"""How much of something is taken in each period, from stretches of time that overlap."""

import math

import numpy as np

from exchange.engine.book import Ints


def busiest(
    row: Ints, span: tuple[Ints, Ints], lots: Ints, *, rows: int, periods: int, minutes: int
) -> Ints:
    """Return shape (rows, periods): the most that is taken at any moment of each period.

    Stretch ``i`` takes ``lots[i]`` of ``row[i]`` from ``span[0][i]`` until ``span[1][i]``, in
    minutes from the start of the first period; what lies outside the periods is cut off.
    """
    first, end = (np.clip(edge, 0, periods * minutes) for edge in span)
    step = math.gcd(minutes, *np.unique(np.concatenate([first, end])).tolist())
    cells = periods * minutes // step
    edges = np.zeros((rows, cells + 1), dtype=np.int64)
    np.add.at(edges, (row, first // step), lots)
    np.add.at(edges, (row, end // step), -lots)
    taken = edges.cumsum(axis=1)[:, :-1]
    return np.asarray(taken.reshape(rows, periods, minutes // step).max(axis=2))


def whole_periods(first: Ints, end: Ints, *, periods: int, minutes: int) -> tuple[Ints, Ints]:
    """Return the periods that lie wholly inside stretches of minutes, as half-open numbers."""
    inner_first = np.clip(-(-first // minutes), 0, periods)
    inner_end = np.clip(end // minutes, 0, periods)
    return inner_first, np.maximum(inner_end, inner_first)


def equal_runs(values: Ints) -> list[tuple[int, int, int]]:
    """Return the runs of equal positive values along a row, as (first, end, value)."""
    cuts = np.flatnonzero(np.diff(values)) + 1
    firsts = [0, *cuts.tolist()]
    ends = [*cuts.tolist(), len(values)]
    return [(a, b, int(values[a])) for a, b in zip(firsts, ends, strict=True) if values[a] > 0]
