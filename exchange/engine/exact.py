"""Sums and products of whole numbers that may not overflow, without leaving numpy."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from exchange.engine.book import Ints

Objects = NDArray[np.object_]  # of Python integers, where an int64 may not do
HUGE: Final = 2 * 10**18  # Stands for "out of reach"; a sum of two still fits an int64.
_LIMB_BITS: Final = 20
_LIMB: Final = (1 << _LIMB_BITS) - 1
_SATURATED: Final = 4 * 10**17
_WRAPS: Final = 9e18


def dot(left: Ints, right: Ints) -> int:
    """Give the exact sum of products of two arrays of numbers from 0 to below 2**60.

    Each number is cut into limbs of 20 bits: a product of two is below 2**40, so that eight
    million of them add up without overflow.
    """
    assert len(left) == len(right) < 1 << 23
    total = 0
    for i, a in enumerate(_limbs(left)):
        for j, b in enumerate(_limbs(right)):
            total += int(np.dot(a, b)) << (_LIMB_BITS * (i + j))
    return total


def sum_by(keys: Ints, values: Ints, size: int) -> Ints:
    """Add up values by key, exactly as long as each sum fits an int64."""
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, keys, values)
    return sums


def sum_products_by(keys: Ints, left: Ints, right: Ints, size: int) -> Ints:
    """Add up products by key; a sum that no int64 holds becomes the greatest that one does.

    Arithmetic modulo 2**64 is right whenever the true sum fits, which a float sum decides.
    """
    sums = sum_by(keys, left * right, size)
    weights = left.astype(np.float64) * right.astype(np.float64)
    rough = np.bincount(keys, weights=weights, minlength=size)
    return np.where(rough < _WRAPS, sums, np.iinfo(np.int64).max)


def scale_micros(values: Ints, micros: Ints) -> Ints:
    """Give ``floor(values * micros / 10**6)``, held at 4 * 10**17 where it would be more."""
    whole, rest = np.divmod(values, 1_000_000)
    most = _SATURATED // np.maximum(micros, 1)
    return np.asarray(np.minimum(whole, most) * micros + rest * micros // 1_000_000)


def _limbs(values: Ints) -> list[Ints]:
    return [(values >> shift) & _LIMB for shift in range(0, 60, _LIMB_BITS)]
