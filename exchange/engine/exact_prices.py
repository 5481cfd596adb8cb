"""Prices as whole micro-ticks (10**-9 of the currency), published or certified alike."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.engine.book import MICROS, UNLIMITED, Book, Floats, Ints
from exchange.engine.outcome import NANOS, CertificatePrices, Prices

ATTOS: Final = 10**18
MICRO_TICKS_PER_UNIT: Final = 10**9
PRICE_MICRO_TICKS_MAX: Final = 10**14  # The greatest price cap.
_KW_SCALE: Final = 10**15  # watts x PUE / 1000, both in millionths


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactPrices:
    """Whole prices: micro-ticks per accelerator-hour, Gbps-hour and kWh.

    ``domestic_attos`` is in 10**-18 of the currency per TFLOPS-hour.
    """

    cells: Ints
    links: Ints
    power: Ints
    domestic_attos: int


def published(prices: Prices) -> ExactPrices:
    """Take clearing prices as they stand."""
    return ExactPrices(
        cells=prices.cells_ticks * MICROS,
        links=prices.links_ticks * MICROS,
        power=prices.power_ticks * MICROS,
        domestic_attos=prices.domestic_share_nanos * (ATTOS // NANOS),
    )


def certified(book: Book, prices: CertificatePrices) -> ExactPrices:
    """Round certificate prices to micro-ticks and leave out what may not be there.

    Any prices prove a bound as long as link, power and policy prices are not negative, and zero
    where there is no limit: a value that is not so counts as zero here.
    """
    policy = book.min_domestic_share_micros is not None
    share = prices.domestic_share if policy and np.isfinite(prices.domestic_share) else 0.0
    return ExactPrices(
        cells=np.where(book.open_cells, _whole(prices.cells), 0),
        links=_limited(_whole(prices.links), book.link_gbps_micros),
        power=_limited(_whole(prices.power), book.power_kw_micros),
        domestic_attos=max(0, round(min(share, 1e9) * ATTOS)),
    )


def net_prices(book: Book, prices: ExactPrices) -> Ints:
    """Give what sellers receive in each (pair, period), in micro-ticks rounded up.

    ``price - power_price x watts x PUE / 1000 + domestic_price x TFLOPS x (domestic - share)``.
    """
    net = prices.cells + _domestic_credit(book, prices.domestic_attos)[:, None]
    if not prices.power.any():
        return net
    site, _ = book.pairs
    paid = prices.power[book.sites.region[site]].astype(object) * kw_scaled(book)[:, None]
    return np.asarray(net - (paid // _KW_SCALE).astype(np.int64))


def kw_scaled(book: Book) -> np.typing.NDArray[np.object_]:
    """Give each pair's kW per accelerator, times 10**15, as Python integers."""
    site, chip = book.pairs
    watts = book.accelerators.watts_micros[chip].astype(object)
    return np.asarray(watts * book.sites.pue_micros[site].astype(object), dtype=object)


def domestic_weight(book: Book) -> np.typing.NDArray[np.object_]:
    """Give each pair's ``TFLOPS x (domestic - share)``, times 10**12; zeros without a policy."""
    _, chip = book.pairs
    share = book.min_domestic_share_micros
    if share is None:
        return np.zeros(len(chip), dtype=object)
    domestic = book.accelerators.domestic[chip].astype(np.int64) * MICROS - share
    tflops = book.accelerators.tflops_micros[chip].astype(object)
    return np.asarray(tflops * domestic.astype(object), dtype=object)


def _domestic_credit(book: Book, attos: int) -> Ints:
    scale = ATTOS // MICRO_TICKS_PER_UNIT * 10**12
    credits_ = [-(-attos * int(weight) // scale) for weight in domestic_weight(book)]
    most = PRICE_MICRO_TICKS_MAX * 10
    return np.array([min(max(value, -most), most) for value in credits_], dtype=np.int64)


def _whole(prices: Floats) -> Ints:
    most = PRICE_MICRO_TICKS_MAX / MICRO_TICKS_PER_UNIT
    held = np.clip(np.where(np.isfinite(prices), prices, 0.0), -most, most)
    return np.asarray(np.rint(held * MICRO_TICKS_PER_UNIT), dtype=np.int64)


def _limited(prices: Ints, limits: Ints) -> Ints:
    return np.where(limits == UNLIMITED, 0, np.maximum(prices, 0))
