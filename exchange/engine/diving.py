"""A first set of blocks: the relaxation of the core is followed down, block by block.

What the linear program takes almost whole is taken, then the blocks that it wants most, and it is
solved again, until it takes every block whole or not at all.
"""

from collections.abc import Iterator

import numpy as np

from exchange.engine.book import Flags, Floats, Ints
from exchange.engine.core import Core
from exchange.engine.solver import LinearModel, SolverFailed

DUST = 1e-6  # A share of a block.
SHARE = 0.1  # Of the blocks taken in part, so many are taken at once.


def dive(core: Core, groups: Ints) -> Ints:
    """Options that can be accepted together; ``groups`` numbers the job of each option."""
    mine = groups[core.options]
    model = LinearModel(core.program)
    every = np.arange(len(core.options))
    lower, upper = np.zeros(len(every)), np.ones(len(every))
    x = model.solve(fresh=True).x[every]
    while _in_part(x).any():
        for batch in _batches(x, mine):
            raised = lower.copy()
            raised[batch] = 1.0
            try:
                x = model.set_bounds(every, raised, upper).solve().x[every]
            except SolverFailed:  # They do not fit together.
                continue
            lower = raised
            break
        else:
            worst = int(_wanted(x)[0])
            upper[worst] = 0.0
            try:
                x = model.set_bounds(every, lower, upper).solve().x[every]
            except SolverFailed:  # What is taken so far depends on it, as a share on its chips.
                x = lower
    return core.options[x > 1 - DUST]


def _in_part(x: Floats) -> Flags:
    return np.asarray((x > DUST) & (x < 1 - DUST))


def _wanted(x: Floats) -> Ints:
    """Options taken in part, those taken most first."""
    part = np.flatnonzero(_in_part(x))
    return part[np.lexsort((part, -x[part]))]


def _batches(x: Floats, groups: Ints) -> Iterator[Ints]:
    """What to take next: all that is whole with the most wanted, then fewer and fewer of these."""
    whole = np.flatnonzero(x >= 1 - DUST)
    wanted = _wanted(x)
    _, first = np.unique(groups[wanted], return_index=True)
    wanted = wanted[np.sort(first)]
    count = max(1, int(len(wanted) * SHARE))
    while count:
        yield np.concatenate([whole, wanted[:count]])
        count //= 2
    yield wanted[:1]
