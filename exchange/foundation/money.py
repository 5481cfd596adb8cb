"""Money, prices and quantities as whole numbers, and as decimal strings at the doors.

Inside: money in micro-units of the currency, prices in ticks of 0.001 per accelerator-hour,
quantities in lots of 0.001. Floats never.
"""

import re
from decimal import Decimal
from fractions import Fraction

MICROS = 1_000_000
TICKS = 1_000
LOTS = 1_000
WHOLE_MAX = 10**18  # fits a bigint with room to add
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


class NotADecimal(ValueError):
    """The text is not a plain decimal number with at most the stated decimals."""


def parse_scaled(text: str, *, scale: int) -> int:
    """Return ``text`` times ``scale`` as an exact integer, e.g. ``"2.5"`` at 1,000 is 2,500.

    Raises NotADecimal for anything but plain decimals (no exponent, no sign but a minus), for
    more decimals than the scale has, and for what does not fit.
    """
    if not _DECIMAL.fullmatch(text):
        raise NotADecimal(f"{text!r} is not a plain decimal number")
    scaled = Fraction(text) * scale
    if scaled.denominator != 1:
        raise NotADecimal(f"{text} is not a multiple of {Decimal(1) / Decimal(scale)}")
    if abs(scaled.numerator) > WHOLE_MAX:
        raise NotADecimal(f"{text} is too large")
    return scaled.numerator


def format_scaled(number: int, *, scale: int) -> str:
    """Return ``number / scale`` as a decimal string with all the decimals of the scale."""
    digits = len(str(scale)) - 1
    whole, part = divmod(abs(number), scale)
    sign = "-" if number < 0 else ""
    return f"{sign}{whole}.{part:0{digits}d}" if digits else f"{sign}{whole}"


def cost_micros(*, price_ticks: int, lots: int, period_minutes: int) -> Fraction:
    """Return price x quantity x hours, exactly, in micro-units (a tick times a lot is one)."""
    return Fraction(price_ticks * lots * period_minutes, 60)


def round_down(amount: Fraction) -> int:
    """Return the whole micro-units at or below ``amount``: what a buyer pays."""
    return amount.numerator // amount.denominator


def round_up(amount: Fraction) -> int:
    """Return the whole micro-units at or above ``amount``: what a seller is owed."""
    return -(-amount.numerator // amount.denominator)
