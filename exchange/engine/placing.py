"""From a class of sites to one site for each block: a block never spans two.

Blocks that were accepted somewhere in a class get a site each, the biggest first, where what they
take costs least above the price and still fits beside the blocks placed before.
"""

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, TICKS_PER_UNIT, Floats, Ints
from exchange.engine.market import Duals, Market


def place_blocks(market: Market, chosen: Ints, duals: Duals) -> Ints:
    """Options at single sites for options that stand for their class; who does not fit is left."""
    options = market.options
    left = market.book.capacity_lots // LOTS_PER_UNIT
    taken = np.zeros_like(left)
    size = options.need * (options.end - options.first)
    twins = _Twins(market)
    placed = []
    for option in chosen[np.lexsort((chosen, -size[chosen]))].tolist():
        rows = twins.of(option)
        window = slice(int(options.first[option]), int(options.end[option]))
        need = int(options.need[option])
        fits = (left[options.pair[rows], window] >= need).all(axis=1)
        if not fits.any():
            continue
        rows = rows[fits]
        premium = np.array([_premium(market, duals, int(row), taken) for row in rows])
        room = left[options.pair[rows], window].sum(axis=1)
        best = int(rows[np.lexsort((rows, room, np.round(premium, 6)))[0]])
        left[options.pair[best], window] -= need
        taken[options.pair[best], window] += need
        placed.append(best)
    return np.sort(np.array(placed, dtype=np.int64))


class _Twins:
    """Options of the same block, class, route and window."""

    def __init__(self, market: Market) -> None:
        options = market.options
        place = market.network.pair_class[options.pair]
        keys = np.stack([options.block, place, options.route, options.first], axis=1)
        self._kind = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
        self._rows = np.argsort(self._kind, kind="stable")
        self._start = np.searchsorted(self._kind[self._rows], np.arange(len(keys) + 1))

    def of(self, option: int) -> Ints:
        kind = self._kind[option]
        return self._rows[self._start[kind] : self._start[kind + 1]].astype(np.int64)


def _premium(market: Market, duals: Duals, option: int, taken: Ints) -> float:
    """What the block's accelerators at a site cost above the price, over its window."""
    options, supply, periods = market.options, market.supply, market.book.periods
    pair, need = int(options.pair[option]), int(options.need[option])
    total = 0.0
    for period in range(int(options.first[option]), int(options.end[option])):
        cell = int(np.searchsorted(supply.key, pair * periods + period))
        steps = slice(int(supply.start[cell]), int(supply.start[cell + 1]))
        upto = np.cumsum(supply.step_lots[steps]) / LOTS_PER_UNIT
        before = upto - supply.step_lots[steps] / LOTS_PER_UNIT
        first = int(taken[pair, period])
        part: Floats = np.clip(upto, first, first + need) - np.clip(before, first, first + need)
        above = supply.step_ticks[steps] / TICKS_PER_UNIT - _seller_price(
            market, duals, pair, period
        )
        total += float((part * np.maximum(above, 0.0)).sum())
    return total


def _seller_price(market: Market, duals: Duals, pair: int, period: int) -> float:
    network = market.network
    power = duals.power[network.pair_region[pair], period]
    return float(
        duals.nodes[pair, period] - power * network.kw[pair] + duals.policy * network.policy[pair]
    )
