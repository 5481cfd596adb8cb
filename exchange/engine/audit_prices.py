"""Every order against the published prices: divisible orders get what their price says.

Prices are rounded to the tick, so the rules hold to what one tick makes of a cost. For a buyer on
accelerator a over a route, one tick in every price is ``1 + gbps x (links with a limit)`` ticks
per accelerator-hour; for a seller ``1 + kW`` where power is limited. Precisely:

- a fill may cost up to one such tick more than its bid's limit per unit divided by its factor;
- a bid that some option beats its limit by more than one such tick gets all it asked for;
- a fill costs at most as much as the bid's cheapest option, where each of the two costs may be off
  by half of its own tick (per unit: times its own factor), as rounding to nearest leaves them.
"""

from typing import Final

import numpy as np

from exchange.engine.audit_case import TICK, Case, find_sorted
from exchange.engine.audit_quantities import units_micros
from exchange.engine.book import MICROS, UNLIMITED, BidKind, Flags, Ints
from exchange.engine.bound import unit_costs, window_rows
from exchange.engine.exact import scale_micros, sum_by
from exchange.engine.exact_prices import domestic_weight, kw_scaled, net_prices

ROUNDING: Final = 2_000  # micro-ticks; what rounding costs down to whole micro-ticks may hide
_LOT: Final = MICROS  # in millionths of a lot


def check_no_loss(case: Case) -> None:
    """Check that no fill of a divisible bid costs more than its limit, to the tick."""
    bids, fills = case.book.bids, case.clearing.bid_fills
    divisible = bids.kind[fills.bid] != BidKind.BLOCK
    # limit / factor in micro-ticks, rounded down: a whole cost is below one iff below the other.
    whole, rest = np.divmod(bids.price_ticks[fills.bid] * MICROS, case.factor_micros)
    worth = whole * MICROS + rest * MICROS // case.factor_micros
    loses = divisible & (case.row_costs() - case.row_ticks() > worth)
    reason = "costs more than its limit by more than a tick"
    case.failures.add_rows("bid_loses", loses, case.fill_name, reason)


def check_cheapest(case: Case) -> None:
    """Check that fills of divisible bids stand where it is cheapest in their period."""
    book, fills = case.book, case.clearing.bid_fills
    rows = np.flatnonzero(book.bids.kind[fills.bid] != BidKind.BLOCK)
    costs = case.reach.cheapest(case.raised(TICK // 2))
    best = unit_costs(case.reach, costs, fills.bid[rows], fills.period[rows])
    dear = np.zeros(len(fills.bid), dtype=np.bool_)
    dear[rows] = fill_costs_low(case)[rows] > best + ROUNDING
    reason = "a cheaper site, accelerator or route was acceptable"
    case.failures.add_rows("fill_not_cheapest", dear, case.fill_name, reason)


def fill_costs_low(case: Case) -> Ints:
    """Give each fill's cost per unit in micro-ticks, half a tick in every price below."""
    return scale_micros(case.row_costs() - case.row_ticks() // 2, case.factor_micros)


def check_hourly_whole(case: Case) -> None:
    """Check that hourly bids better than the price are filled whole in each period."""
    bids = case.book.bids
    costs = case.reach.cheapest(case.raised(TICK))
    hourly = np.flatnonzero(bids.kind == BidKind.HOURLY)
    filled = PeriodFills(case)
    for rows, period in window_rows(bids.first[hourly], bids.end[hourly]):
        bid = hourly[rows]
        cost = unit_costs(case.reach, costs, bid, period)
        better = bids.price_ticks[bid] * MICROS - cost > ROUNDING
        short = better & filled.is_short(bid, period)
        for row in np.flatnonzero(short):
            where = f"{case.bid_name(bid[row])} period {period[row]}"
            reason = "better than the price by more than a tick, but not filled whole"
            case.failures.add("bid_left_short", where, reason)


class PeriodFills:
    """What each divisible bid got in each period, in millionths of a lot of its units."""

    def __init__(self, case: Case) -> None:
        self._case = case
        fills = case.clearing.bid_fills
        rows = np.flatnonzero(case.book.bids.kind[fills.bid] != BidKind.BLOCK)
        key = fills.bid[rows] * case.book.periods + fills.period[rows]
        self._keys, place = np.unique(key, return_inverse=True)
        self._units = sum_by(place, units_micros(case, rows, up=True), len(self._keys))
        lot = MICROS * MICROS // case.factor_micros[rows]
        self._lots = sum_by(place, lot, len(self._keys))
        factors = np.append(case.book.bids.choice_factor_micros, MICROS)
        self._one_lot = (
            MICROS * MICROS // np.minimum.reduceat(factors, case.book.bids.choice_start[:-1])
        )

    def units(self, bid: Ints, period: Ints) -> Ints:
        """Give what was filled, in millionths of a lot of units."""
        place = self._find(bid, period)
        return np.where(place < 0, 0, np.append(self._units, 0)[place])

    def lots(self, bid: Ints, period: Ints) -> Ints:
        """Give what one lot in each used cell (one cell at least) is in units, likewise."""
        place = self._find(bid, period)
        return np.where(place < 0, self._one_lot[bid], np.append(self._lots, 0)[place])

    def is_short(self, bid: Ints, period: Ints) -> Flags:
        """Flag where a whole lot per used cell is missing to the quantity."""
        asked = self._case.book.bids.quantity_lots[bid] * MICROS
        return np.asarray(asked - self.units(bid, period) >= self.lots(bid, period))

    def _find(self, bid: Ints, period: Ints) -> Ints:
        return find_sorted(self._keys, bid * self._case.book.periods + period)


def check_volumes(case: Case) -> None:
    """Check that volume bids get the cheapest unit-periods that they can reach."""
    bids, fills = case.book.bids, case.clearing.bid_fills
    half = case.reach.cheapest(case.raised(TICK // 2))
    full = case.reach.cheapest(case.raised(TICK))
    low, filled = fill_costs_low(case), PeriodFills(case)
    for bid in np.flatnonzero(bids.kind == BidKind.VOLUME).tolist():
        period = np.arange(bids.first[bid], bids.end[bid])
        each = np.full(len(period), bid)
        open_ = filled.is_short(each, period)
        rows = slice(*np.searchsorted(fills.bid, [bid, bid + 1]).tolist())
        spare = unit_costs(case.reach, half, each, period)[open_]
        if (low[rows] > spare.min(initial=2**62) + ROUNDING).any():
            reason = "a cheaper period of its window was not used up"
            case.failures.add("volume_not_cheapest", case.bid_name(bid), reason)
        units, lots = filled.units(each, period), filled.lots(each, period)
        missing = int(bids.volume_lots[bid]) * MICROS - int(units.sum())
        used = units > 0
        if missing < max(int(lots[used].sum()), int(lots.max())):
            continue
        cost = unit_costs(case.reach, full, each, period)
        if (open_ & (int(bids.price_ticks[bid]) * MICROS - cost > ROUNDING)).any():
            reason = "better than the price by more than a tick, but not filled whole"
            case.failures.add("bid_left_short", case.bid_name(bid), reason)


def check_sellers(case: Case) -> None:
    """Check that offers below the price are sold whole, those above not at all."""
    book, offers, sold = case.book, case.book.offers, case.clearing.offer_fills
    net, tick = net_prices(book, case.prices), seller_ticks(case)
    key = sold.offer * book.periods + sold.period
    for offer, period in window_rows(offers.first, offers.end):
        pair = book.offer_pair[offer]
        gain = net[pair, period] - offers.price_ticks[offer] * MICROS
        place = find_sorted(key, offer * book.periods + period)
        lots = np.where(place < 0, 0, np.append(sold.quantity_lots, 0)[place])
        within = tick[pair, period] + ROUNDING
        for code, bad, reason in (
            ("offer_loses", (gain < -within) & (lots > 0), "sold below its ask"),
            (
                "offer_left_short",
                (gain > within) & (lots < offers.quantity_lots[offer]),
                "better than the price by more than a tick, but not sold whole",
            ),
        ):
            for row in np.flatnonzero(bad):
                where = f"offer {offers.names[offer[row]]} period {period[row]}"
                case.failures.add(code, where, reason)


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
