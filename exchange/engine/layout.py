"""The tables of ``compute-order-book/1`` and ``compute-clearing/1``, and the limits on numbers.

The limits keep every product that the engine forms in an int64: a price times a window in
micro-ticks, a limit price divided by a factor, a quantity times a factor.
"""

from typing import Final

BOOK_FORMAT: Final = "compute-order-book/1"
CLEARING_FORMAT: Final = "compute-clearing/1"
ENGINE_VERSION: Final = "1.0"

BOOK_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "regions.csv": ("region",),
    "accelerators.csv": ("accelerator", "domestic", "tflops", "watts"),
    "sites.csv": ("site", "region", "pue", "renewable_share"),
    "routes.csv": ("route", "origin", "region", "latency_ms", "links"),
    "links.csv": ("link", "period", "gbps"),
    "power.csv": ("region", "period", "kw"),
    "offers.csv": ("offer", "site", "accelerator", "first", "end", "quantity", "price"),
    "bids.csv": (
        "bid",
        "kind",
        "origin",
        "quantity",
        "price",
        "first",
        "end",
        "duration",
        "volume",
        "max_latency_ms",
        "gbps",
        "group",
        "regions",
        "renewable_min",
    ),
    "bid_accelerators.csv": ("bid", "accelerator", "factor"),
}
OPTIONAL_TABLES: Final = frozenset({"links.csv", "power.csv"})
BOOK_FIELDS: Final = (
    "format",
    "auction",
    "currency",
    "start",
    "period_minutes",
    "periods",
    "price_tick",
    "price_cap",
    "min_domestic_share",
)

MICRO_PLACES: Final = 6
TICK_PLACES: Final = 3
LOT_PLACES: Final = 3
SHARE_PLACES: Final = 9

PERIODS_MAX: Final = 1_000
PERIOD_MINUTES_MAX: Final = 366 * 24 * 60
PRICE_CAP_TICKS_MAX: Final = 100_000_000  # 100,000 per accelerator-hour
QUANTITY_LOTS_MAX: Final = 1_000_000_000  # a million
VOLUME_LOTS_MAX: Final = QUANTITY_LOTS_MAX * PERIODS_MAX
FACTOR_MICROS_MAX: Final = 1_000_000_000  # a thousand
LIMIT_TICKS_MAX: Final = PRICE_CAP_TICKS_MAX * 1_000  # the cap at the greatest factor
GBPS_MICROS_MAX: Final = 1_000_000_000  # a thousand per accelerator
LATENCY_MICROS_MAX: Final = 1_000_000_000_000
TFLOPS_MICROS_MAX: Final = 1_000_000_000_000
WATTS_MICROS_MAX: Final = 1_000_000_000_000
PUE_MICROS_MAX: Final = 100_000_000
BUDGET_MICROS_MAX: Final = 1_000_000_000_000_000  # a link's Gbps, a region's kW

RESULT_FILE: Final = "result.json"
CERTIFICATE_FILE: Final = "certificate/certificate.json"
TIMING_FILE: Final = "timing.json"
_CELL_PRICES: Final = ("site", "accelerator", "period", "price")
_LINK_PRICES: Final = ("link", "period", "price")
_POWER_PRICES: Final = ("region", "period", "price")
RESULT_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "prices.csv": _CELL_PRICES,
    "link_prices.csv": _LINK_PRICES,
    "power_prices.csv": _POWER_PRICES,
    "bid_fills.csv": ("bid", "site", "accelerator", "period", "route", "quantity"),
    "offer_fills.csv": ("offer", "period", "quantity"),
    "certificate/prices.csv": _CELL_PRICES,
    "certificate/link_prices.csv": _LINK_PRICES,
    "certificate/power_prices.csv": _POWER_PRICES,
}
RESULT_FIELDS: Final = (
    "format",
    "complete",
    "welfare",
    "bound",
    "gap",
    "domestic_share_price",
    "engine",
    "book_sha256",
)
CERTIFICATE_FIELDS: Final = ("domestic_share_price", "bound")
GAP_PLACES: Final = 12
CELL_TICKS_MAX: Final = 10 * PRICE_CAP_TICKS_MAX  # of a result; either sign
RENT_TICKS_MAX: Final = 10**11  # of a result, per Gbps-hour or kWh
FILL_LOTS_MAX: Final = 10**12
