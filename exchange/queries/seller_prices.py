"""What scarce power and the domestic share take from a seller's price, or give (market.md, 5)."""

from fractions import Fraction

from exchange.engine.outcome import NANOS
from exchange.foundation.money import MICROS, TICKS

WATTS_PER_KW = 1_000


def power_price(kwh_ticks: int, *, watts_micros: int, pue_micros: int) -> Fraction:
    """Return what the region's power budget takes from the seller, per accelerator-hour.

    ``kwh_ticks`` is the price of a kWh; the accelerator draws ``watts_micros``, and its site
    ``pue_micros`` times as much.
    """
    scale = TICKS * MICROS * MICROS * WATTS_PER_KW
    return Fraction(kwh_ticks * watts_micros * pue_micros, scale)


def policy_price(
    share_nanos: int, share_micros: int | None, *, tflops_micros: int, domestic: bool
) -> Fraction:
    """Return what the domestic share gives to the seller, or takes, per accelerator-hour.

    ``share_nanos`` is its price per TFLOPS-hour, ``share_micros`` the least share; None for none.
    """
    if share_micros is None:
        return Fraction(0)
    above = domestic * MICROS - share_micros
    return Fraction(share_nanos * tflops_micros * above, NANOS * MICROS * MICROS)
