"""What divisible bids got, by bid and period: looked at by several checks."""

import numpy as np

from exchange.engine.audit_case import Case, find_sorted
from exchange.engine.audit_quantities import units_micros
from exchange.engine.book import MICROS, BidKind, Flags, Ints
from exchange.engine.exact import sum_by


class PeriodFills:
    """What each divisible bid got in each period, in millionths of a lot of its units."""

    def __init__(self, case: Case) -> None:
        self._case = case
        bids, fills = case.book.bids, case.clearing.bid_fills
        rows = np.flatnonzero(bids.kind[fills.bid] != BidKind.BLOCK)
        key = fills.bid[rows] * case.book.periods + fills.period[rows]
        self._keys, place = np.unique(key, return_inverse=True)
        self._units = sum_by(place, units_micros(case, rows, up=True), len(self._keys))
        lot = MICROS * MICROS // case.factor_micros[rows]
        self._lots = sum_by(place, lot, len(self._keys))
        least = np.minimum.reduceat(bids.choice_factor_micros, bids.choice_start[:-1])
        self._one_lot = MICROS * MICROS // least

    def units(self, bid: Ints, period: Ints) -> Ints:
        """Give what was filled, in millionths of a lot of units."""
        place = self._find(bid, period)
        return np.where(place < 0, 0, np.append(self._units, 0)[place])

    def lots(self, bid: Ints, period: Ints) -> Ints:
        """Give what one lot in each used cell is in units, likewise; or, if it is more, one lot of
        the accelerators of which the bid needs least: so little cannot be filled in whole lots.
        """
        place = self._find(bid, period)
        used = np.where(place < 0, 0, np.append(self._lots, 0)[place])
        return np.asarray(np.maximum(self._one_lot[bid], used))

    def is_short(self, bid: Ints, period: Ints) -> Flags:
        """Flag where a whole lot per used cell is missing to the quantity."""
        asked = self._case.book.bids.quantity_lots[bid] * MICROS
        return np.asarray(asked - self.units(bid, period) >= self.lots(bid, period))

    def _find(self, bid: Ints, period: Ints) -> Ints:
        return find_sorted(self._keys, bid * self._case.book.periods + period)
