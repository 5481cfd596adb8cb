"""The most that a bid can cost its buyer: what is held when it is placed."""

from typing import NamedTuple

from exchange.foundation.money import MICROS

MINUTES_PER_HOUR = 60


class GreatestCost(NamedTuple):
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
    minutes_cost = price_ticks * unit_lot_minutes
    cost = -(-minutes_cost // MINUTES_PER_HOUR)
    fee = -(-minutes_cost * fee_ppm // (MINUTES_PER_HOUR * MICROS))
    return GreatestCost(cost, fee)
