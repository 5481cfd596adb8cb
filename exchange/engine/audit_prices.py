"""Every order against the published prices: divisible orders get what their price says.

Prices are rounded to the tick, so the rules hold to what one tick makes of a cost. For a buyer on
accelerator a over a route, one tick in every price is ``1 + gbps x (links with a limit)`` ticks
per accelerator-hour; for a seller ``1 + kW`` where power is limited. Precisely:

- a fill may cost up to one such tick more than its bid's limit per unit divided by its factor;
- a bid that some option beats its limit by more than one such tick gets all it asked for;
- a fill costs at most as much as the bid's cheapest option, where each of the two costs may be off
  by half of its own tick (per unit: times its own factor), as rounding to nearest leaves them.
"""

from functools import partial
from typing import Final

import numpy as np

from exchange.engine.audit_case import ROUNDING, TICK, Case, find_sorted
from exchange.engine.audit_fills import PeriodFills
from exchange.engine.book import MICROS, UNLIMITED, BidKind, Ints
from exchange.engine.bound import unit_costs, unroll_windows, window_rows
from exchange.engine.exact import HUGE, scale_micros
from exchange.engine.exact_prices import domestic_weight, kw_scaled, net_prices

_LEFT_SHORT: Final = "better than the price by more than a tick, but not filled whole"


def check_no_loss(case: Case) -> None:
    """Check that no fill of a divisible bid costs more than its limit, to the tick."""
    bids, fills = case.book.bids, case.clearing.bid_fills
    divisible = bids.kind[fills.bid] != BidKind.BLOCK
    # limit / factor in micro-ticks, rounded down: a whole cost is below one iff below the other.
    whole, rest = np.divmod(bids.price_ticks[fills.bid] * MICROS, case.factor_micros)
    worth = whole * MICROS + rest * MICROS // case.factor_micros
    loses = divisible & (case.row_costs - case.row_ticks > worth)
    reason = "costs more than its limit by more than a tick"
    case.failures.add_rows("bid_loses", loses, case.fill_name, reason)


def check_cheapest(case: Case) -> None:
    """Check that fills of divisible bids stand where it is cheapest in their period."""
    book, fills = case.book, case.clearing.bid_fills
    rows = np.flatnonzero(book.bids.kind[fills.bid] != BidKind.BLOCK)
    costs = case.cheapest(raised=TICK // 2)
    best = unit_costs(case.reach, costs, fills.bid[rows], fills.period[rows])
    dear = np.zeros(len(fills.bid), dtype=np.bool_)
    dear[rows] = fill_costs_low(case)[rows] > best + ROUNDING
    reason = "a cheaper site, accelerator or route was acceptable"
    case.failures.add_rows("fill_not_cheapest", dear, case.fill_name, reason)


def fill_costs_low(case: Case) -> Ints:
    """Give each fill's cost per unit in micro-ticks, half a tick in every price below."""
    return scale_micros(case.row_costs - case.row_ticks // 2, case.factor_micros)


def check_hourly_whole(case: Case, filled: PeriodFills) -> None:
    """Check that hourly bids better than the price are filled whole in each period."""
    bids = case.book.bids
    costs = case.cheapest(raised=TICK)
    hourly = np.flatnonzero(bids.kind == BidKind.HOURLY)
    for rows, period in window_rows(bids.first[hourly], bids.end[hourly]):
        bid = hourly[rows]
        cost = unit_costs(case.reach, costs, bid, period)
        better = np.flatnonzero(bids.price_ticks[bid] * MICROS - cost > ROUNDING)
        bid, at = bid[better], period[better]
        name = partial(_period_name, case, bid, at)
        case.failures.add_rows("bid_left_short", filled.is_short(bid, at), name, _LEFT_SHORT)


def _period_name(case: Case, bid: Ints, period: Ints, row: int) -> str:
    return f"{case.bid_name(bid[row])} period {period[row]}"


def check_volumes(case: Case, filled: PeriodFills) -> None:
    """Check that volume bids get the cheapest unit-periods that they can reach."""
    bids = case.book.bids
    volumes = np.flatnonzero(bids.kind == BidKind.VOLUME)
    row, period = unroll_windows(bids.first[volumes], bids.end[volumes])
    if not len(row):
        return
    bid, start = volumes[row], np.flatnonzero(np.diff(row, prepend=-1))
    open_ = filled.is_short(bid, period)
    spare = np.where(
        open_, unit_costs(case.reach, case.cheapest(raised=TICK // 2), bid, period), HUGE
    )
    _check_volumes_cheapest(case, volumes, np.minimum.reduceat(spare, start))
    units, lots = filled.units(bid, period), filled.lots(bid, period)
    missing = bids.volume_lots[volumes] * MICROS - np.add.reduceat(units, start)
    used = np.add.reduceat(np.where(units > 0, lots, 0), start)
    short = missing >= np.maximum(used, np.maximum.reduceat(lots, start))
    cost = unit_costs(case.reach, case.cheapest(raised=TICK), bid, period)
    better = open_ & (bids.price_ticks[bid] * MICROS - cost > ROUNDING)
    left = short & np.logical_or.reduceat(better, start)
    case.failures.add_rows(
        "bid_left_short", left, lambda one: case.bid_name(volumes[one]), _LEFT_SHORT
    )


def _check_volumes_cheapest(case: Case, volumes: Ints, spare: Ints) -> None:
    """Check each fill against the cheapest period of its bid's window that is not used up."""
    bid = case.clearing.bid_fills.bid
    rows = np.flatnonzero(case.book.bids.kind[bid] == BidKind.VOLUME)
    place = np.searchsorted(volumes, bid[rows])
    dear = np.zeros(len(volumes), dtype=np.bool_)
    dear[place[fill_costs_low(case)[rows] > spare[place] + ROUNDING]] = True
    reason = "a cheaper period of its window was not used up"
    case.failures.add_rows(
        "volume_not_cheapest", dear, lambda one: case.bid_name(volumes[one]), reason
    )


def check_sellers(case: Case) -> None:
    """Check that offers below the price are sold whole, those above not at all.

    A cell whose buyers use up a priced limit as well ends, in whole lots, up to one lot of each of
    their fills short of what its sellers are owed: both cannot be met to the lot.
    """
    book, offers, sold = case.book, case.book.offers, case.clearing.offer_fills
    net, tick = net_prices(book, case.prices), seller_ticks(case)
    key = sold.offer * book.periods + sold.period
    spare = _lots_at_limits(case)
    for offer, period in window_rows(offers.first, offers.end):
        pair = book.offer_pair[offer]
        gain = net[pair, period] - offers.price_ticks[offer] * MICROS
        place = find_sorted(key, offer * book.periods + period)
        lots = np.where(place < 0, 0, np.append(sold.quantity_lots, 0)[place])
        within = tick[pair, period] + ROUNDING
        left = np.where(gain > within, offers.quantity_lots[offer] - lots, 0)
        for code, bad, reason in (
            ("offer_loses", (gain < -within) & (lots > 0), "sold below its ask"),
            (
                "offer_left_short",
                left > spare[pair, period],
                "better than the price by more than a tick, but not sold whole",
            ),
        ):
            case.failures.add_rows(code, bad, partial(_sale_name, case, offer, period), reason)


def _lots_at_limits(case: Case) -> Ints:
    """Give one lot per fill of a divisible bid that uses a priced limit, by (pair, period)."""
    book, fills = case.book, case.clearing.bid_fills
    region = book.sites.region[fills.site]
    limited = (case.row_links > 0) & (book.bids.gbps_micros[fills.bid] > 0)
    limited |= case.prices.power[region, fills.period] > 0
    limited |= case.prices.domestic_attos != 0
    limited &= (book.bids.kind[fills.bid] != BidKind.BLOCK) & (case.pair >= 0)
    spare = np.zeros(book.open_cells.shape, dtype=np.int64)
    np.add.at(spare, (case.pair[limited], fills.period[limited]), 1)
    return spare


def _sale_name(case: Case, offer: Ints, period: Ints, row: int) -> str:
    return f"offer {case.book.offers.names[offer[row]]} period {period[row]}"


def seller_ticks(case: Case) -> Ints:
    """Give what a tick makes of what sellers receive, in micro-ticks, by (pair, period).

    ``1 + kW`` where power is limited, and one step of the share's price where there is a policy.
    """
    book = case.book
    site, _ = book.pairs
    kw = np.array([-(-int(value) * TICK // 10**15) for value in kw_scaled(book)], dtype=np.int64)
    policy = [-(-abs(int(value)) // 10**12) for value in domestic_weight(book)]
    limited = book.power_kw_micros[book.sites.region[site]] != UNLIMITED
    return np.asarray(TICK + kw[:, None] * limited + np.array(policy, dtype=np.int64)[:, None])
