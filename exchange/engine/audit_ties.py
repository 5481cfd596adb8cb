"""Ties at the price: orders of one ladder and price share what they get, pro rata.

Offers of one site, accelerator, period and ask share exactly: by largest remainder, then by id.
So do hourly bids of one ladder, period and limit that were served from one cell over one route, if
every bid's quantity is whole lots of the accelerator. Served from several cells, or with
quantities that no whole lots make up, each bid's units are within one lot per cell used of its
share: market.md leaves open which of the tied bids gets which cell.
"""

from fractions import Fraction

import numpy as np

from exchange.engine.audit_case import Case, find_sorted
from exchange.engine.audit_prices import PeriodFills
from exchange.engine.audit_quantities import row_units
from exchange.engine.book import MICROS, BidKind, Book, Flags, Ints
from exchange.engine.bound import unroll_windows
from exchange.engine.distinct import distinct_rows, number_lists
from exchange.engine.reach import region_rule, slowest_route


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
    for tied in _partial_groups(ladder, lots, lots < asked):
        due = share_pro_rata(int(lots[tied].sum()), asked[tied].tolist())
        for row, share in zip(tied, due, strict=True):
            if lots[row] != share:
                where = f"offer {offers.names[rows[row]]} period {period[row]}"
                reason = f"sold {lots[row]} lots where its share of the tie is {share}"
                case.failures.add("tie_not_pro_rata", where, reason)


def check_bid_ties(case: Case) -> None:
    """Check how hourly bids of one ladder, period and limit share what they get."""
    bids, filled = case.book.bids, PeriodFills(case)
    hourly = np.flatnonzero(bids.kind == BidKind.HOURLY)
    rows, period = unroll_windows(bids.first[hourly], bids.end[hourly])
    bid = hourly[rows]
    keys = (bid_ladders(case.book)[bid], period, bids.price_ticks[bid])
    units, short = filled.units(bid, period), filled.is_short(bid, period)
    for tied in _partial_groups(keys, units, short):
        _check_tied_bids(case, bid[tied].tolist(), int(period[tied[0]]))


def _partial_groups(keys: tuple[Ints, Ints, Ints], got: Ints, short: Flags) -> list[Ints]:
    """Give the rows of each group that got something, but not everything, in the order of rows."""
    _, code = distinct_rows(keys)
    size = int(code.max(initial=-1)) + 1
    some = np.bincount(code[got > 0], minlength=size) > 0
    lacks = np.bincount(code[short], minlength=size) > 0
    several = np.bincount(code, minlength=size) > 1
    rows = np.flatnonzero((some & lacks & several)[code])
    rows = rows[np.argsort(code[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(code[rows])) + 1) if len(rows) else []


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
