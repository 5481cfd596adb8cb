"""Prices on the tick, and what each order may get at them: whole, nothing, or anything between."""

from dataclasses import dataclass

import numpy as np

from exchange.engine.book import MICROS, TICKS_PER_UNIT, UNLIMITED, Floats, Ints
from exchange.engine.exact_prices import domestic_weight, kw_scaled, net_prices, published
from exchange.engine.market import Duals, Market
from exchange.engine.outcome import NANOS, Prices


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyRange:
    """Lots that each (pair, period) must sell at least, and may sell at most, at the prices."""

    least: Ints
    most: Ints


def round_prices(market: Market, duals: Duals) -> Prices:
    """Round every price to the nearest tick."""
    book = market.book
    nodes = duals.nodes[: len(book.pairs[0])]
    cells = np.where(book.open_cells, nodes, 0.0)
    # The duals are per 1,000 TFLOPS-hours.
    return Prices(
        cells_ticks=_to_ticks(cells),
        links_ticks=_to_ticks(duals.links),
        power_ticks=_to_ticks(duals.power),
        domestic_share_nanos=round(duals.policy / 1_000 * NANOS),
    )


def _to_ticks(prices: Floats) -> Ints:
    # Solvers end a hair off; a price halfway between two ticks goes up on any machine.
    return np.floor(np.round(prices * TICKS_PER_UNIT, 6) + 0.5).astype(np.int64)


def supply_range(market: Market, prices: Prices) -> SupplyRange:
    """What sellers owe at these prices: asks below are whole, asks above nothing."""
    book, supply = market.book, market.supply
    cell = supply.key[supply.step_ladder]
    net = net_prices(book, published(prices)).ravel()[cell]
    gain = net - supply.step_ticks * MICROS
    within = seller_ticks(market).ravel()[cell]
    size = book.open_cells.size
    least, most = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    np.add.at(least, cell[gain > within], supply.step_lots[gain > within])
    np.add.at(most, cell[gain >= -within], supply.step_lots[gain >= -within])
    shape = book.open_cells.shape
    return SupplyRange(least=least.reshape(shape), most=most.reshape(shape))


def seller_ticks(market: Market) -> Ints:
    """What a tick makes of a seller's price, in micro-ticks: ``1 + kW`` where power is limited."""
    book = market.book
    region = market.network.pair_region
    kw = np.array([-(-int(kw) * MICROS // 10**15) for kw in kw_scaled(book)], dtype=np.int64)
    policy = np.array(
        [-(-abs(int(weight)) // 10**12) for weight in domestic_weight(book)], dtype=np.int64
    )
    limited = book.power_kw_micros[region] != UNLIMITED
    return np.asarray(MICROS + kw[:, None] * limited + policy[:, None])
