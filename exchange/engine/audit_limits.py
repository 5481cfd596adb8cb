"""Links, power and the domestic share: held, and priced only where they bind.

A priced limit counts as full within one lot per fill that uses it, and per order that would
(``audit_margin``): for a link and period one lot times the order's bandwidth; for power one lot
times the watts it draws with PUE; for the share, which spans the horizon, one lot times its weight
in the policy, whatever its sign.
"""

import numpy as np

from exchange.engine import layout
from exchange.engine.audit_case import TICK, Case, find_sorted
from exchange.engine.audit_margin import Margin
from exchange.engine.book import LOTS_PER_UNIT, MICROS, UNLIMITED, Flags, Floats
from exchange.engine.bound import unroll_windows
from exchange.engine.exact import sum_by, sum_products_by
from exchange.engine.exact_prices import domestic_weight, kw_scaled, net_prices

_KW_PER_LIMIT = 10**9 * LOTS_PER_UNIT  # kW x 10**15 x lots against millionths of a kW


def check_links(case: Case, margin: Margin) -> None:
    """Check each limited link's load and price."""
    book, fills = case.book, case.clearing.bid_fills
    count = np.diff(book.routes.link_start)[fills.route]
    row = np.repeat(np.arange(len(fills.bid)), count)
    step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    link = book.routes.links[book.routes.link_start[fills.route[row]] + step]
    size = len(book.links) * book.periods
    key = link * book.periods + fills.period[row]
    gbps = book.bids.gbps_micros[fills.bid[row]]
    load = sum_products_by(key, gbps, fills.quantity_lots[row], size)
    slack = sum_by(key, gbps, size)
    limit = book.link_gbps_micros.ravel()
    for place in np.flatnonzero((limit != UNLIMITED) & (load > limit * LOTS_PER_UNIT)):
        reason = f"{_gbps(load[place])} Gbps over a limit of {limit[place] / 1e6:g}"
        case.failures.add("link_overloaded", _link_name(case, int(place)), reason)
    prices = case.clearing.prices.links_ticks.ravel()
    for place in np.flatnonzero(prices):
        left = int(limit[place]) * LOTS_PER_UNIT - int(load[place]) - int(slack[place])
        full = left <= 0 or left <= margin.on_link(*divmod(int(place), book.periods))
        _check_price(
            case,
            ("link", _link_name(case, int(place)), int(prices[place])),
            limited=bool(limit[place] != UNLIMITED),
            full=full,
        )


def _gbps(load: np.int64) -> str:
    return f"{load / 1e9:g}"


def _link_name(case: Case, place: int) -> str:
    link, period = divmod(place, case.book.periods)
    return f"link {case.book.links[link]} period {period}"


def _check_price(case: Case, about: tuple[str, str, int], *, limited: bool, full: bool) -> None:
    kind, where, price = about
    if price < 0:
        case.failures.add(f"{kind}_price_negative", where, "the price is below zero")
    elif not limited:
        case.failures.add(f"{kind}_price_without_limit", where, "priced, but there is no limit")
    elif not full:
        case.failures.add(f"{kind}_price_while_free", where, "priced, but the limit is not full")


def check_power(case: Case, margin: Margin) -> None:
    """Check each region's power budget and its price."""
    book, prices = case.book, case.clearing.prices.power_ticks
    kw = [int(value) for value in kw_scaled(book)]
    limited = book.power_kw_micros != UNLIMITED
    nothing = [0] * limited.size
    loads, slacks = _power_loads(case, kw) if limited.any() else (nothing, nothing)
    for region, period in np.argwhere(limited | (prices != 0)).tolist():
        limit = int(book.power_kw_micros[region, period])
        place = region * book.periods + period
        used = loads[place]
        where = f"region {book.regions[region]} period {period}"
        if limit != UNLIMITED and used > limit * _KW_PER_LIMIT:
            reason = f"{used / 1e18:g} kW over a budget of {limit / 1e6:g}"
            case.failures.add("power_overdrawn", where, reason)
        if price := int(prices[region, period]):
            left = limit * _KW_PER_LIMIT - used - slacks[place]
            full = left <= 0 or left <= margin.on_power(region, period, kw)
            about = ("power", where, price)
            _check_price(case, about, limited=limit != UNLIMITED, full=full)


def _power_loads(case: Case, kw: list[int]) -> tuple[list[int], list[int]]:
    """Add up kW (x 10**15 x lots) and one lot per fill, by region x periods + period."""
    book, fills = case.book, case.clearing.bid_fills
    site, _ = book.pairs
    region = book.sites.region[site]
    cell = case.pair * book.periods + fills.period
    lots = sum_by(cell, fills.quantity_lots, len(kw) * book.periods)
    count = np.bincount(cell, minlength=len(lots))
    load, slack = ([0] * (len(book.regions) * book.periods) for _ in range(2))
    for used in np.flatnonzero(count).tolist():
        pair, period = divmod(used, book.periods)
        place = int(region[pair]) * book.periods + period
        load[place] += kw[pair] * int(lots[used])
        slack[place] += kw[pair] * int(count[used])
    return load, slack


def check_domestic_share(case: Case, margin: Margin) -> None:
    """Check the policy and its price."""
    book, price = case.book, case.clearing.prices.domestic_share_nanos
    policy = book.min_domestic_share_micros is not None
    weight = [int(value) for value in domestic_weight(book)]
    lots = sum_by(case.pair, case.clearing.bid_fills.quantity_lots, len(weight))
    over = sum(int(lot) * value for lot, value in zip(lots, weight, strict=True))
    if over < 0:
        reason = f"short by {-over / 1e18:g} PFLOPS-hours"
        case.failures.add("domestic_share_missed", "domestic share", reason)
    if price:
        count = np.bincount(case.pair, minlength=len(weight)).tolist()
        left = over - sum(fills * abs(value) for fills, value in zip(count, weight, strict=True))
        about = ("domestic_share", "domestic share", price)
        full = left <= 0 or left <= margin.on_share(weight)
        _check_price(case, about, limited=policy, full=full)


def check_cell_prices(case: Case) -> None:
    """Check that cell prices are at least zero, or minus the cap while the share is priced.

    A share price may push the price of a domestic cell lower still: what an offer receives is then
    its ask although hardly anybody can use it. As long as an offer that is not sold whole would
    receive no less than its ask, no higher price would support the result, and it is allowed.
    A cell that nothing is offered in has no price.
    """
    book, prices = case.book, case.clearing.prices
    cells = prices.cells_ticks
    shared = prices.domestic_share_nanos > 0
    least = -book.price_cap_ticks if shared else 0
    low = book.open_cells & (cells < least)
    if shared and low.any():
        low &= ~_held_down(case)
    for code, bad, reason in (
        ("price_negative", low, f"below {least} ticks"),
        ("price_without_offer", ~book.open_cells & (cells != 0), "priced, but nothing is offered"),
    ):
        for pair, period in np.argwhere(bad).tolist():
            case.failures.add(code, case.pair_name(pair, period), reason)


def _held_down(case: Case) -> Flags:
    """Flag (pairs, periods) where an offer not sold whole receives its ask, to the tick."""
    book, offers, sold = case.book, case.book.offers, case.clearing.offer_fills
    row, period = unroll_windows(offers.first, offers.end)
    place = find_sorted(sold.offer * book.periods + sold.period, row * book.periods + period)
    lots = np.where(place < 0, 0, np.append(sold.quantity_lots, 0)[place])
    gain = net_prices(book, case.prices)[book.offer_pair[row], period]
    gain -= offers.price_ticks[row] * MICROS
    holds = (lots < offers.quantity_lots[row]) & (gain >= -TICK)
    held = np.zeros(book.open_cells.shape, dtype=np.bool_)
    held[book.offer_pair[row[holds]], period[holds]] = True
    return held


def shapes_fit(case: Case) -> bool:
    """Check that there is a price for each cell, link and region, before anything is priced."""
    book, prices, proof = case.book, case.clearing.prices, case.clearing.certificate
    cells, limits, power = (
        book.open_cells.shape,
        book.link_gbps_micros.shape,
        book.power_kw_micros.shape,
    )
    fits = (prices.cells_ticks.shape, prices.links_ticks.shape, prices.power_ticks.shape) == (
        cells,
        limits,
        power,
    ) and (proof.cells.shape, proof.links.shape, proof.power.shape) == (cells, limits, power)
    if not fits:
        case.failures.add("prices_misshapen", "prices", "the book has other cells or limits")
    return fits and _sizes_fit(case)


def _sizes_fit(case: Case) -> bool:
    prices, before = case.clearing.prices, len(case.failures.counts)
    for where, ticks, most in (
        ("cells", prices.cells_ticks, layout.CELL_TICKS_MAX),
        ("links", prices.links_ticks, layout.RENT_TICKS_MAX),
        ("power", prices.power_ticks, layout.RENT_TICKS_MAX),
    ):
        if (np.abs(ticks) > most).any():
            case.failures.add("price_out_of_range", where, f"beyond {most} ticks")
    return len(case.failures.counts) == before


def check_certificate(case: Case) -> None:
    """Check that certificate prices are finite, not negative, and zero where nothing is limited."""
    book, proof = case.book, case.clearing.certificate
    policy = book.min_domestic_share_micros is not None
    share = proof.domestic_share
    for where, wrong in (
        ("cells", ~np.isfinite(proof.cells)),
        ("links", ~_may_price(proof.links, book.link_gbps_micros != UNLIMITED)),
        ("power", ~_may_price(proof.power, book.power_kw_micros != UNLIMITED)),
        ("domestic share", ~_may_price(np.array([share]), np.array([policy]))),
    ):
        if wrong.any():
            reason = "a price is not finite, is negative, or stands where nothing is limited"
            case.failures.add("certificate_invalid", f"certificate {where}", reason)


def _may_price(prices: Floats, limited: Flags) -> Flags:
    return np.asarray(np.isfinite(prices) & np.where(limited, prices >= 0, prices == 0))
