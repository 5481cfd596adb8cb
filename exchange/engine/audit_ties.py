"""Ties at the price: orders of one ladder and price share what they get, pro rata.

Offers of one site, accelerator, period and ask share exactly: by largest remainder, then by id.
So do hourly bids of one ladder, period and limit that were served from one cell over one route, if
every bid's quantity is whole lots of the accelerator. Served from several cells, or with
quantities that no whole lots make up, each bid's units are within one lot per cell used of its
share: market.md leaves open which of the tied bids gets which cell.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from exchange.engine.audit_case import Case, find_sorted
from exchange.engine.audit_fills import PeriodFills
from exchange.engine.audit_quantities import row_units
from exchange.engine.book import MICROS, BidKind, Book, Flags, Ints
from exchange.engine.bound import unroll_windows
from exchange.engine.distinct import distinct_rows, number_lists
from exchange.engine.exact import sum_by
from exchange.engine.reach import region_rule, slowest_route

_PRODUCT_MAX: Final = 4e18
_DOUBT: Final = 1e-9


def share_pro_rata(total: int, weights: list[int]) -> list[int]:
    """Cut a total into whole shares by largest remainder; ties go to the earlier one."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    rests = [-(total * weight % whole) for weight in weights]
    left = total - sum(shares)
    for place in sorted(range(len(weights)), key=rests.__getitem__)[:left]:
        shares[place] += 1
    return shares


def bid_ladders(book: Book) -> Ints:
    """Number the bids' ladders: as market.md defines them, but for the period.

    Equal for equal accelerators and factors, routes within the bound, bandwidth, regions and
    renewable share.
    """
    bids = book.bids
    keys = (
        number_lists(bids.choice_start, bids.choice_accelerator, bids.choice_factor_micros),
        bids.origin,
        slowest_route(book),
        bids.gbps_micros,
        region_rule(book),
        bids.renewable_micros_min,
    )
    return distinct_rows(keys)[1]


def check_offer_ties(case: Case) -> None:
    """Check how offers of one cell and ask share what the cell buys."""
    book, offers, sold = case.book, case.book.offers, case.clearing.offer_fills
    rows, period = unroll_windows(offers.first, offers.end)
    place = find_sorted(sold.offer * book.periods + sold.period, rows * book.periods + period)
    lots = np.where(place < 0, 0, np.append(sold.quantity_lots, 0)[place])
    asked = offers.quantity_lots[rows]
    ladder = (book.offer_pair[rows], period, offers.price_ticks[rows])
    tied, group = _partial_groups(ladder, lots, lots < asked)
    for same in _groups_of(tied, group, misshared(group, lots[tied], asked[tied])):
        due = share_pro_rata(int(lots[same].sum()), asked[same].tolist())
        for row, share in zip(same, due, strict=True):
            if lots[row] != share:
                where = f"offer {offers.names[rows[row]]} period {period[row]}"
                reason = f"sold {lots[row]} lots where its share of the tie is {share}"
                case.failures.add("tie_not_pro_rata", where, reason)


def check_bid_ties(case: Case, filled: PeriodFills) -> None:
    """Check how hourly bids of one ladder, period and limit share what they get."""
    bids = case.book.bids
    hourly = np.flatnonzero(bids.kind == BidKind.HOURLY)
    rows, period = unroll_windows(bids.first[hourly], bids.end[hourly])
    bid = hourly[rows]
    keys = (bid_ladders(case.book)[bid], period, bids.price_ticks[bid])
    units, short = filled.units(bid, period), filled.is_short(bid, period)
    tied, group = _partial_groups(keys, units, short)
    suspect = _suspect_bids(case, _TiedBids(case, bid[tied], period[tied], group))
    for same in _groups_of(tied, group, suspect):
        _check_tied_bids(case, bid[same].tolist(), int(period[same[0]]))


def _partial_groups(keys: tuple[Ints, Ints, Ints], got: Ints, short: Flags) -> tuple[Ints, Ints]:
    """Give the rows of all groups that got something, but not everything, and their groups.

    Groups are numbered from 0 and stand one after another, each in the order of its rows.
    """
    _, code = distinct_rows(keys)
    size = int(code.max(initial=-1)) + 1
    some = np.bincount(code[got > 0], minlength=size) > 0
    lacks = np.bincount(code[short], minlength=size) > 0
    several = np.bincount(code, minlength=size) > 1
    rows = np.flatnonzero((some & lacks & several)[code])
    rows = rows[np.argsort(code[rows], kind="stable")]
    return rows, np.cumsum(np.diff(code[rows], prepend=code[rows[:1]]) > 0)


def _groups_of(rows: Ints, group: Ints, which: Flags) -> list[Ints]:
    """Give the rows of each group flagged."""
    start = np.searchsorted(group, np.arange(len(which) + 1))
    return [rows[start[one] : start[one + 1]] for one in np.flatnonzero(which).tolist()]


def misshared(group: Ints, lots: Ints, weight: Ints) -> Flags:
    """Flag the groups whose lots are not shared by weight as ``share_pro_rata`` would.

    All groups at once; one whose products no int64 holds is flagged unseen.
    """
    size = int(group.max(initial=-1)) + 1
    total, whole = sum_by(group, lots, size), sum_by(group, weight, size)
    most = np.zeros(size, dtype=np.int64)
    np.maximum.at(most, group, weight)
    seen = total.astype(np.float64) * most < _PRODUCT_MAX
    share, rest = np.divmod(np.where(seen, total, 0)[group] * weight, whole[group])
    left = total - sum_by(group, share, size)
    order = np.lexsort((-rest, group))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order)) - np.searchsorted(group, group)
    wrong = lots != share + (rank < left[group])
    return np.asarray((np.bincount(group[wrong], minlength=size) > 0) | ~seen)


class _TiedBids:
    """Tied bids by group, each in one period, and the fills that they got there."""

    def __init__(self, case: Case, bid: Ints, period: Ints, group: Ints) -> None:
        fills, periods = case.clearing.bid_fills, case.book.periods
        self.bid, self.group, self.groups = bid, group, int(group.max(initial=-1)) + 1
        key = bid * periods + period
        order = np.argsort(key, kind="stable")
        place = find_sorted(key[order], fills.bid * periods + fills.period)
        self.fills = np.flatnonzero(place >= 0)
        self.tied = order[place[self.fills]]  # the tied bid that each of the fills is of
        of = group[self.tied]
        places = (fills.site, fills.accelerator, fills.route)
        cells, _ = distinct_rows((of, *(column[self.fills] for column in places)))
        self.cells = np.bincount(cells[0], minlength=self.groups)
        self.factor = np.zeros(self.groups, dtype=np.int64)  # that of the cell, if there is one
        self.factor[of] = case.factor_micros[self.fills]


def _suspect_bids(case: Case, ties: _TiedBids) -> Flags:
    """Flag the groups of tied bids that may not share as they should: few, if all is well."""
    bids, group = case.book.bids, ties.group
    asked = bids.quantity_lots[ties.bid]
    odd = np.bincount(group[asked * ties.factor[group] % MICROS != 0], minlength=ties.groups)
    lots = case.clearing.bid_fills.quantity_lots[ties.fills]
    exact = misshared(group, sum_by(ties.tied, lots, len(group)), asked)
    served = lots * (MICROS / case.factor_micros[ties.fills])
    units = np.bincount(ties.tied, weights=served, minlength=len(group))
    total = np.bincount(group, weights=units, minlength=ties.groups)
    whole = np.bincount(group, weights=asked, minlength=ties.groups)
    factors = np.minimum.reduceat(bids.choice_factor_micros, bids.choice_start[:-1])
    slack = MICROS / factors[ties.bid] * np.maximum(1, ties.cells)[group]
    # Sums of floats are off by far less than a billionth of the total.
    far = np.abs(units - (total / whole)[group] * asked) >= slack - _DOUBT * total[group]
    loose = np.bincount(group[far], minlength=ties.groups) > 0
    return np.where((ties.cells == 1) & (odd == 0), exact, loose)


def _check_tied_bids(case: Case, bids: list[int], period: int) -> None:
    """Check one group, its bids in the order of their ids."""
    rows = [_rows_of(case, bid, period) for bid in bids]
    asked = case.book.bids.quantity_lots[bids].tolist()
    cells = {_cell(case, row) for mine in rows for row in mine}
    choices = slice(*case.book.bids.choice_start[[bids[0], bids[0] + 1]].tolist())
    factor = int(case.book.bids.choice_factor_micros[choices].min())
    units = [sum((row_units(case, row) for row in mine), Fraction(0)) for mine in rows]
    total, whole = sum(units, Fraction(0)), sum(asked)
    due = [total * lots / whole for lots in asked]
    slack = Fraction(MICROS, factor) * max(1, len(cells))
    if len(cells) == 1:
        served = int(case.factor_micros[next(row for mine in rows for row in mine)])
        if all(lots * served % MICROS == 0 for lots in asked):
            lot = Fraction(MICROS, served)
            shares = share_pro_rata(int(total / lot), asked)
            due, slack = [share * lot for share in shares], lot / 2
    for bid, got, share in zip(bids, units, due, strict=True):
        if abs(got - share) >= slack:
            where = f"{case.bid_name(bid)} period {period}"
            reason = f"got {float(got):g} lots where its share of the tie is {float(share):g}"
            case.failures.add("tie_not_pro_rata", where, reason)


def _rows_of(case: Case, bid: int, period: int) -> list[int]:
    fills = case.clearing.bid_fills
    first, last = np.searchsorted(fills.bid, [bid, bid + 1]).tolist()
    return [row for row in range(first, last) if fills.period[row] == period]


def _cell(case: Case, row: int) -> tuple[int, int, int]:
    fills = case.clearing.bid_fills
    return int(fills.site[row]), int(fills.accelerator[row]), int(fills.route[row])
