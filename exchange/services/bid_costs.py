"""The most that a bid can cost its buyer: what is held when it is placed."""

from dataclasses import dataclass
from fractions import Fraction

from exchange.foundation.money import MICROS, round_up

MINUTES_PER_HOUR = 60


@dataclass(frozen=True, slots=True)
class GreatestCost:
    """Micro-units of the currency; both are rounded up, so the hold always suffices."""

    cost_micros: int
    fee_micros: int

    @property
    def hold_micros(self) -> int:
        """The cost and the fee on it: what is frozen."""
        return self.cost_micros + self.fee_micros


def greatest_cost(*, price_ticks: int, unit_lot_minutes: int, fee_ppm: int) -> GreatestCost:
    """Return limit price x units x time, and the buyer's fee on it.

    ``unit_lot_minutes`` is the most that the bid may be given: lots of units times minutes. No
    buyer pays more than its limit (market.md, section 5), so no fill can cost more. A tick times
    a lot for an hour is one micro-unit.
    """
    cost = Fraction(price_ticks * unit_lot_minutes, MINUTES_PER_HOUR)
    return GreatestCost(round_up(cost), round_up(cost * fee_ppm / MICROS))
