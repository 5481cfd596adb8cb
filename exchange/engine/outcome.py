"""What the engine gives back: prices, fills, and the proof that goes with them."""

from dataclasses import dataclass
from fractions import Fraction

from exchange.engine.book import Floats, Ints

NANOS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Clearing prices, on the tick.

    ``cells_ticks`` has the shape of ``Book.open_cells`` (0 where no offer is), per
    accelerator-hour; ``links_ticks`` (links, periods) per Gbps-hour; ``power_ticks``
    (regions, periods) per kWh; ``domestic_share_nanos`` per TFLOPS-hour.
    """

    cells_ticks: Ints
    links_ticks: Ints
    power_ticks: Ints
    domestic_share_nanos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePrices:
    """Unrounded prices, in currency, that prove the bound; shapes as in ``Prices``."""

    cells: Floats
    links: Floats
    power: Floats
    domestic_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BidFills:
    """One row per (bid, site, accelerator, period, route), sorted by them; lots of accelerators."""

    bid: Ints
    site: Ints
    accelerator: Ints
    period: Ints
    route: Ints
    quantity_lots: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFills:
    """One row per (offer, period) that sold something, sorted by them."""

    offer: Ints
    period: Ints
    quantity_lots: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """One cleared book.

    ``welfare_micros`` is exact; ``bound_micros`` is what the certificate prices prove, rounded up
    to a whole micro-unit. ``complete`` says that no time limit was hit.
    """

    complete: bool
    welfare_micros: Fraction
    bound_micros: int
    prices: Prices
    certificate: CertificatePrices
    bid_fills: BidFills
    offer_fills: OfferFills
