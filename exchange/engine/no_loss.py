"""The rule that no accepted block loses, as a test and as a repair.

A set of accepted options has prices under which none of them loses if and only if the linear
program with these options free in [0, 1], and all others at 0, is worth no more than with them
fixed at 1: its duals then are the prices, and if it is worth more no prices can hold them all
(linear duality; Madani and Van Vyve, "A MIP framework for non-convex uniform price day-ahead
electricity auctions").
"""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import Ints
from exchange.engine.convex import Convex, Optimum
from exchange.engine.solver import SolverFailed

WHOLE = 1 - 1e-6
HARDLY = 0.05  # Of so small a part of a block the market wants nothing.
UNWANTED = 0.05  # A share of a block: the market would rather be without it.
WORTH = 1e-6  # Currency per hour, and relative: less is the solver's dust.


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Options that can all be accepted together, and an optimum of the market with them."""

    accepted: Ints
    optimum: Optimum
    convex: Convex
    complete: bool = True  # No deadline cut the search short.

    @property
    def welfare(self) -> float:
        """In currency per hour."""
        return self.optimum.welfare


def try_selection(convex: Convex, accepted: Ints) -> tuple[Selection | None, Optimum]:
    """The selection if prices support it (else None), and the optimum with it free in [0, 1]."""
    free = convex.solve_with(accepted)
    if (free.options[accepted] >= WHOLE).all():
        return Selection(accepted=accepted, optimum=free, convex=convex), free
    try:
        whole = convex.solve_with(accepted, fixed=True)
    except SolverFailed:  # They do not fit together.
        return None, free
    if free.welfare - whole.welfare > WORTH * max(1.0, abs(free.welfare) * WORTH):
        return None, free
    return Selection(accepted=accepted, optimum=whole, convex=convex), free


def drop_losers(convex: Convex, accepted: Ints) -> Selection:
    """Drop the block that the market wants least, one after another, until none loses.

    Ends for certain: with no block at all there is none to lose.
    """
    while True:
        found, free = try_selection(convex, accepted)
        if found:
            return found
        wanted = free.options[accepted]
        worst = np.lexsort((accepted, wanted))[: max(1, int((wanted < HARDLY).sum()) // 4)]
        accepted = np.delete(accepted, worst)
