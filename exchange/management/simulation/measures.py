"""What a day came to, by the same measures for every market; floats, for tables and plots."""

from dataclasses import dataclass, field

import numpy as np

from exchange.engine.book import LOTS_PER_UNIT, MICROS, NO_GROUP, BidKind, Book, Floats, Ints
from exchange.engine.bound import unroll_windows
from exchange.engine.outcome import BidFills, OfferFills, Prices
from exchange.engine.result import fill_factors, welfare_micros

_MICRO_KW = 1e-15  # micro-watts x millionths of PUE, in kW
_TFLOPS_TO_PFLOPS = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Shares from 0 to 1, money in the book's currency, energy in kWh at the meter of the site.

    ``served`` and ``value_served`` are of unit-hours and of limit x unit-hours. ``use`` is what was
    sold of what was offered, by region. ``prices`` are per accelerator-hour by region and chip,
    weighted with what was sold there; ``rents`` what full links brought in.
    """

    welfare: float
    served: float
    value_served: float
    jobs_served: float
    blocks_served: float
    moved: float  # of the PFLOPS-hours: run in another region than the bid's
    energy_kwh: float
    pflops_hours: float
    domestic_share: float
    use: dict[str, float]
    prices: dict[str, dict[str, float]]
    rents: dict[str, float] = field(default_factory=dict)


def measure(
    book: Book, bought: BidFills, sold: OfferFills, prices: Prices | None = None
) -> Measures:
    """Measure what was bought and sold; without prices, offers sell at their asks."""
    hours = book.period_minutes / 60
    got, wanted = _units_got(book, bought) * hours, _units_wanted(book) * hours
    got = np.minimum(got, wanted)  # the last accelerator of a block may do more than is needed
    limit = book.bids.price_ticks / LOTS_PER_UNIT
    lots_hours = bought.quantity_lots / LOTS_PER_UNIT * hours
    work = lots_hours * book.accelerators.tflops_micros[bought.accelerator] / MICROS
    work *= _TFLOPS_TO_PFLOPS
    kw = book.accelerators.watts_micros[bought.accelerator] * _MICRO_KW
    kw = kw * book.sites.pue_micros[bought.site]
    region = book.sites.region[bought.site]
    domestic = book.accelerators.domestic[bought.accelerator]
    blocks = book.bids.kind == BidKind.BLOCK
    return Measures(
        welfare=float(welfare_micros(book, bought, sold)) / MICROS,
        served=_share(got.sum(), wanted.sum()),
        value_served=_share((got * limit).sum(), (wanted * limit).sum()),
        jobs_served=_share((got > 0).sum(), len(got)),
        blocks_served=_share((got[blocks] > 0).sum(), blocks.sum()),
        moved=_share(work[region != book.bids.origin[bought.bid]].sum(), work.sum()),
        energy_kwh=float((kw * lots_hours).sum()),
        pflops_hours=float(work.sum()),
        domestic_share=_share(work[domestic].sum(), work.sum()),
        use=_use(book, sold),
        prices=_prices(book, bought, sold, prices),
        rents={} if prices is None else _rents(book, bought, prices, hours),
    )


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0


def _units_got(book: Book, bought: BidFills) -> Floats:
    """Unit-periods of each bid."""
    units = bought.quantity_lots / LOTS_PER_UNIT / (fill_factors(book, bought) / MICROS)
    found = np.bincount(bought.bid, weights=units, minlength=len(book.bids.names))
    return np.asarray(found, dtype=np.float64)


def _units_wanted(book: Book) -> Floats:
    """Unit-periods of each bid; of a job with alternatives, those of the first."""
    bids = book.bids
    periods = np.where(bids.kind == BidKind.BLOCK, bids.duration, bids.end - bids.first)
    lots = np.where(bids.kind == BidKind.VOLUME, bids.volume_lots, bids.quantity_lots * periods)
    units: Floats = lots / LOTS_PER_UNIT
    grouped = np.flatnonzero(bids.group != NO_GROUP)
    _, first = np.unique(bids.group[grouped], return_index=True)
    others = np.setdiff1d(grouped, grouped[first])
    units[others] = 0.0
    return units


def _use(book: Book, sold: OfferFills) -> dict[str, float]:
    offers = book.offers
    region, size = book.sites.region[offers.site], len(book.regions)
    offered = offers.quantity_lots * (offers.end - offers.first)
    room = np.bincount(region, weights=offered, minlength=size)
    used = np.bincount(region[sold.offer], weights=sold.quantity_lots, minlength=size)
    names = book.regions.tolist()
    return {name: _share(used[row], room[row]) for row, name in enumerate(names) if room[row]}


def _prices(
    book: Book, bought: BidFills, sold: OfferFills, prices: Prices | None
) -> dict[str, dict[str, float]]:
    """What an accelerator-hour cost, by region and chip."""
    if prices is None:
        site, chip = book.offers.site[sold.offer], book.offers.accelerator[sold.offer]
        ticks, lots = book.offers.price_ticks[sold.offer], sold.quantity_lots
    else:
        site, chip, lots = bought.site, bought.accelerator, bought.quantity_lots
        ticks = prices.cells_ticks[_pair_rows(book, site, chip), bought.period]
    width = len(book.accelerators.names)
    key = book.sites.region[site] * width + chip
    size = len(book.regions) * width
    paid = np.bincount(key, weights=ticks * lots / LOTS_PER_UNIT, minlength=size)
    total = np.bincount(key, weights=lots, minlength=size)
    found: dict[str, dict[str, float]] = {}
    for place in np.flatnonzero(total).tolist():
        region, accelerator = divmod(place, width)
        by_chip = found.setdefault(str(book.regions[region]), {})
        by_chip[str(book.accelerators.names[accelerator])] = float(paid[place] / total[place])
    return found


def _pair_rows(book: Book, site: Ints, chip: Ints) -> Ints:
    width = len(book.accelerators.names)
    sites, chips = book.pairs
    return np.searchsorted(sites * width + chips, site * width + chip).astype(np.int64)


def _rents(book: Book, bought: BidFills, prices: Prices, hours: float) -> dict[str, float]:
    """What each priced link took: its price x the bandwidth that ran over it."""
    table = book.routes
    row, place = unroll_windows(table.link_start[bought.route], table.link_start[bought.route + 1])
    link, period = table.links[place], bought.period[row]
    gbps = book.bids.gbps_micros[bought.bid[row]] / MICROS * bought.quantity_lots[row]
    paid = prices.links_ticks[link, period] / LOTS_PER_UNIT * gbps / LOTS_PER_UNIT * hours
    total = np.bincount(link, weights=paid, minlength=len(book.links))
    return {str(book.links[one]): float(total[one]) for one in np.flatnonzero(total).tolist()}
