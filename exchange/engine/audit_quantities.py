"""Quantities: fills that name what exists, supply equal to demand, each order within its rules."""

from fractions import Fraction
from typing import Final

import numpy as np

from exchange.engine.audit_case import Case, is_increasing
from exchange.engine.book import MICROS, NO_GROUP, BidKind, Flags, Ints
from exchange.engine.bound import block_lots
from exchange.engine.distinct import distinct_rows
from exchange.engine.exact import sum_by
from exchange.engine.outcome import BidFills, OfferFills
from exchange.engine.reach import region_rule

_UNITS_MAX: Final = 10**12  # lots; more than any bid may ask for
_BLOCK_REASONS: Final = {
    "block_on_two_sites": "a block runs on one site",
    "block_on_two_accelerators": "a block runs on one accelerator",
    "block_over_two_routes": "a block takes one route",
    "block_uneven": "a block gets ceil(units x factor) accelerators in each period",
    "block_wrong_length": "a block runs for its duration",
    "block_with_gap": "a block runs without a gap",
}


def check_shape(case: Case) -> None:
    """Check what the other checks stand on: indices that exist, sorted rows, positive lots."""
    book, fills, sold = case.book, case.clearing.bid_fills, case.clearing.offer_fills
    for name, values, size in (
        ("bid", fills.bid, len(book.bids.names)),
        ("site", fills.site, len(book.sites.names)),
        ("accelerator", fills.accelerator, len(book.accelerators.names)),
        ("period", fills.period, book.periods),
        ("route", fills.route, len(book.routes.names)),
        ("offer", sold.offer, len(book.offers.names)),
        ("period", sold.period, book.periods),
    ):
        if ((values < 0) | (values >= size)).any():
            case.failures.add("fill_unknown", name, f"a fill names a {name} that is not there")
    _check_rows(case, "bid_fills", fills, ("bid", "site", "accelerator", "period", "route"))
    _check_rows(case, "offer_fills", sold, ("offer", "period"))


def _check_rows(case: Case, table: str, fills: BidFills | OfferFills, key: tuple[str, ...]) -> None:
    if (fills.quantity_lots <= 0).any():
        case.failures.add("fill_not_positive", table, "a fill is of nothing or less")
    columns = [getattr(fills, name) for name in key]
    if is_increasing(columns):
        return
    order = np.lexsort(columns[::-1])
    if (order != np.arange(len(order))).any():
        case.failures.add("fill_unsorted", table, f"rows are not sorted by {', '.join(key)}")
    same = np.ones(max(0, len(order) - 1), dtype=np.bool_)
    for column in columns:
        same &= column[order[1:]] == column[order[:-1]]
    if same.any():
        case.failures.add("fill_repeated", table, "two rows have the same key")


def check_supply(case: Case) -> None:
    """Check that bids get in each cell what offers give there, to the lot."""
    book, fills, sold = case.book, case.clearing.bid_fills, case.clearing.offer_fills
    no_cell = case.pair < 0
    reason = "nothing is offered at this site and accelerator"
    case.failures.add_rows("cell_without_offer", no_cell, case.fill_name, reason)
    size = len(book.pairs[0]) * book.periods
    there = ~no_cell
    cell = case.pair[there] * book.periods + fills.period[there]
    bought = sum_by(cell, fills.quantity_lots[there], size)
    given = sum_by(
        book.offer_pair[sold.offer] * book.periods + sold.period, sold.quantity_lots, size
    )
    for place in np.flatnonzero(bought != given):
        pair, period = divmod(int(place), book.periods)
        reason = f"bids get {bought[place]} lots, offers give {given[place]}"
        case.failures.add("supply_not_demand", case.pair_name(pair, period), reason)


def check_offers(case: Case) -> None:
    """Check that offers sell inside their window, and no more than they have."""
    offers, sold = case.book.offers, case.clearing.offer_fills
    outside = (sold.period < offers.first[sold.offer]) | (sold.period >= offers.end[sold.offer])
    over = sold.quantity_lots > offers.quantity_lots[sold.offer]

    def name(row: int) -> str:
        return f"offer {offers.names[sold.offer[row]]} period {sold.period[row]}"

    case.failures.add_rows("offer_outside_window", outside, name, "sold outside its window")
    case.failures.add_rows("offer_over_quantity", over, name, "sold more than it has")


def check_bids(case: Case) -> None:
    """Check each fill against its bid: window, accelerator, place and route."""
    book, fills = case.book, case.clearing.bid_fills
    bids, routes = book.bids, book.routes
    bid, route = fills.bid, fills.route
    outside = (fills.period < bids.first[bid]) | (fills.period >= bids.end[bid])
    latency, bound = routes.latency_micros[route], bids.latency_micros_max[bid]
    away = routes.region[route] != book.sites.region[fills.site]
    for code, bad, reason in (
        ("bid_outside_window", outside, "filled outside its window"),
        ("accelerator_not_accepted", case.choice < 0, "the bid does not accept the accelerator"),
        ("route_from_elsewhere", routes.origin[route] != bids.origin[bid], "not from its origin"),
        ("route_to_elsewhere", away, "the route does not lead to the site's region"),
        ("route_too_slow", (bound >= 0) & (latency > bound), "slower than the latency bound"),
    ):
        case.failures.add_rows(code, bad, case.fill_name, reason)
    _check_places(case)


def _check_places(case: Case) -> None:
    book, fills = case.book, case.clearing.bid_fills
    green = book.sites.renewable_micros[fills.site]
    brown = green < book.bids.renewable_micros_min[fills.bid]
    reason = "the site's renewable share is too small"
    case.failures.add_rows("renewable_share_missed", brown, case.fill_name, reason)
    rule = region_rule(book)
    (_, sites), code = distinct_rows((rule[fills.bid], fills.site))
    _, first = np.unique(code, return_index=True)
    regions = book.sites.region[sites]
    bad = np.array(
        [
            rule[bid] > 0 and region not in _listed(case, int(bid))
            for bid, region in zip(fills.bid[first], regions, strict=True)
        ],
        dtype=np.bool_,
    )
    reason = "the bid may not run in this region"
    case.failures.add_rows("region_not_allowed", bad[code], case.fill_name, reason)


def _listed(case: Case, bid: int) -> Ints:
    bids = case.book.bids
    return bids.regions[bids.region_start[bid] : bids.region_start[bid + 1]]


def check_amounts(case: Case) -> None:
    """Check that hourly and volume bids get no more than they ask for, in units."""
    bids, fills = case.book.bids, case.clearing.bid_fills
    rows = np.flatnonzero((bids.kind[fills.bid] != BidKind.BLOCK) & (case.choice >= 0))
    bid, period = fills.bid[rows], fills.period[rows]
    for hour in overfilled(case, rows, bid * case.book.periods + period, bids.quantity_lots[bid]):
        one, at = divmod(hour, case.book.periods)
        where = f"{case.bid_name(one)} period {at}"
        case.failures.add("bid_over_quantity", where, "filled more than its quantity")
    rows = rows[bids.kind[bid] == BidKind.VOLUME]
    bid = fills.bid[rows]
    for one in overfilled(case, rows, bid, bids.volume_lots[bid]):
        case.failures.add("bid_over_volume", case.bid_name(one), "filled more than its volume")


def overfilled(case: Case, rows: Ints, keys: Ints, most_lots: Ints) -> list[int]:
    """Give the keys whose fills, in units, add up to more than allowed.

    Sums rounded up clear all but the tightest; those are added up as fractions.
    """
    distinct, place = np.unique(keys, return_inverse=True)
    up = sum_by(place, units_micros(case, rows, up=True), len(distinct))
    most = np.zeros(len(distinct), dtype=np.int64)
    most[place] = most_lots
    suspects = np.flatnonzero(up > most * MICROS)
    if not len(suspects):
        return []
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], np.arange(len(distinct) + 1))
    over = []
    for suspect in suspects.tolist():
        mine = rows[order[start[suspect] : start[suspect + 1]]].tolist()
        if _units(case, mine) > int(most[suspect]):
            over.append(int(distinct[suspect]))
    return over


def _units(case: Case, rows: list[int]) -> Fraction:
    """Add up fills of one bid, in lots of units: at once where they are of one factor."""
    lots = case.clearing.bid_fills.quantity_lots
    factors = {int(case.factor_micros[row]) for row in rows}
    if len(factors) == 1:
        return Fraction(sum(int(lots[row]) for row in rows) * MICROS, factors.pop())
    return sum((row_units(case, row) for row in rows), Fraction(0))


def units_micros(case: Case, rows: Ints, *, up: bool) -> Ints:
    """Give each fill in units of its bid, in millionths of a lot, rounded down or up."""
    lots, factor = case.clearing.bid_fills.quantity_lots[rows], case.factor_micros[rows]
    whole, rest = np.divmod(lots * MICROS, factor)
    more = rest * MICROS
    fine = -(-more // factor) if up else more // factor
    return np.asarray(np.minimum(whole, _UNITS_MAX) * MICROS + fine)


def row_units(case: Case, row: int) -> Fraction:
    """Give one fill in units of its bid, in lots."""
    lots = int(case.clearing.bid_fills.quantity_lots[row])
    return Fraction(lots * MICROS, int(case.factor_micros[row]))


def check_blocks(case: Case) -> None:
    """Check that accepted blocks are whole: one site, accelerator and route, without a gap."""
    bids, fills = case.book.bids, case.clearing.bid_fills
    rows = np.flatnonzero(bids.kind[fills.bid] == BidKind.BLOCK)
    if not len(rows):
        return
    bid, first, place = np.unique(fills.bid[rows], return_index=True, return_inverse=True)
    periods = sum_by(place, np.ones(len(rows), dtype=np.int64), len(bid))
    last = np.zeros(len(bid), dtype=np.int64)
    np.maximum.at(last, place, fills.period[rows])
    span = last + 1 - np.minimum.reduceat(fills.period[rows], first)
    due = block_lots(bids.quantity_lots[bid], case.factor_micros[rows[first]])
    strays = {
        "block_on_two_sites": _strays(fills.site[rows], first, place),
        "block_on_two_accelerators": _strays(fills.accelerator[rows], first, place),
        "block_over_two_routes": _strays(fills.route[rows], first, place),
        "block_uneven": fills.quantity_lots[rows] != due[place],
    }
    for code, stray in strays.items():
        for one in np.unique(place[stray]):
            case.failures.add(code, case.bid_name(bid[one]), _BLOCK_REASONS[code])
    length = bids.duration[bid]
    for code, bad in (
        ("block_wrong_length", periods != length),
        ("block_with_gap", (periods == length) & (span != length)),
    ):
        for one in np.flatnonzero(bad):
            case.failures.add(code, case.bid_name(bid[one]), _BLOCK_REASONS[code])
    _check_groups(case, bid)


def _strays(values: Ints, first: Ints, place: Ints) -> Flags:
    return np.asarray(values != values[first][place])


def _check_groups(case: Case, accepted: Ints) -> None:
    group = case.book.bids.group[accepted]
    names, counts = np.unique(group[group != NO_GROUP], return_counts=True)
    for name, count in zip(names, counts, strict=True):
        if count > 1:
            where = f"group {case.book.groups[name]}"
            case.failures.add("group_filled_twice", where, f"{count} alternatives are accepted")
