"""Minor units for lines: the total is rounded once, and each line gets its part of that."""

from collections.abc import Sequence

PPM = 1_000_000


def round_half_even(micros: int, unit: int) -> int:
    """Return ``micros / unit`` rounded to a whole number, halves to the even one."""
    whole, rest = divmod(micros, unit)
    if 2 * rest > unit or (2 * rest == unit and whole % 2):
        return whole + 1
    return whole


def allocate(micros: Sequence[int], *, unit: int) -> list[int]:
    """Return minor units for each amount, adding up to the rounded total.

    Each amount gets its whole units at or below it; those with the largest remainders (earlier
    lines first) get one more until the total is reached, so that no line is off by a whole unit.
    """
    shares = [amount // unit for amount in micros]
    missing = round_half_even(sum(micros), unit) - sum(shares)
    by_remainder = sorted(range(len(micros)), key=lambda place: (-(micros[place] % unit), place))
    for place in by_remainder[:missing]:
        shares[place] += 1
    return shares


def tax_in(gross: int, *, rate_ppm: int) -> int:
    """Return the tax that ``gross`` contains at a rate of its net part, rounded half-even."""
    return round_half_even(gross * rate_ppm, PPM + rate_ppm)
