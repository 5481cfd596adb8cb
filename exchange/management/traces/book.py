"""Drafts laid out as an order book on disk, with the catalogue's own hubs, routes and chips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchange.engine.book import Book
from exchange.engine.files import book_from_tables
from exchange.engine.layout import BOOK_FORMAT, BOOK_TABLES
from exchange.foundation.money import MICROS
from exchange.management.traces import assumptions as assumed
from exchange.management.traces.drafts import BidDraft, OfferDraft, SiteDraft
from exchange.services.geography import backbone, shortest_paths

PRICE_CAP = "1000.000"
WATTS_PER_KW = 1_000
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the book limits; None: nothing. ``power`` is a share of what all chips could draw."""

    link_gbps: Decimal | None = None
    power: Decimal | None = None
    min_domestic_share: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The catalogue's tables as they are read: rows by column, decimals in millionths."""

    regions: Sequence[Mapping[str, Any]]
    chips: Mapping[str, Mapping[str, Any]]


def build_book(
    name: str,
    start: datetime,
    *,
    facts: Facts,
    sites: Sequence[SiteDraft],
    offers: Sequence[OfferDraft],
    bids: Sequence[BidDraft],
    limits: Limits,
) -> Book:
    """Return one day's book. Raises the engine's BookRefused, should an assumption break a rule."""
    share = limits.min_domestic_share
    head = {
        "format": BOOK_FORMAT,
        "auction": name,
        "currency": "CNY",
        "start": start.isoformat(),
        "period_minutes": 60,
        "periods": assumed.PERIODS,
        "price_tick": "0.001",
        "price_cap": PRICE_CAP,
        "min_domestic_share": None if share is None else str(share),
    }
    routes, links = _network(facts)
    tables = {
        "regions.csv": [(row["code"],) for row in facts.regions],
        "accelerators.csv": _chips(facts, offers, bids),
        "sites.csv": [(s.code, s.region, s.pue, s.renewable_share) for s in sites],
        "routes.csv": routes,
        "offers.csv": [
            (o.name, o.site, o.accelerator, o.first, o.end, o.quantity, o.price) for o in offers
        ],
        "bids.csv": [_bid(bid) for bid in bids],
        "bid_accelerators.csv": [
            (bid.name, chip, factor) for bid in bids for chip, factor in bid.choices
        ],
    }
    if limits.link_gbps is not None:
        tables["links.csv"] = [(link, "", limits.link_gbps) for link in links]
    if limits.power is not None:
        tables["power.csv"] = _power(facts, sites, offers, limits.power)
    return book_from_tables(head, {file: _columns(file, rows) for file, rows in tables.items()})


def _network(facts: Facts) -> tuple[Rows, list[str]]:
    places = {
        str(row["code"]): (row["latitude"] / MICROS, row["longitude"] / MICROS)
        for row in facts.regions
    }
    links = backbone(places)
    routes: Rows = []
    used: set[str] = set()
    for origin in sorted(places):
        for region, path in sorted(shortest_paths(links, origin).items()):
            used.update(path.links)
            latency = Decimal(path.latency_micros) / MICROS
            routes.append((f"{origin}.{region}", origin, region, latency, " ".join(path.links)))
    return routes, sorted(used)


def _chips(facts: Facts, offers: Sequence[OfferDraft], bids: Sequence[BidDraft]) -> Rows:
    used = {offer.accelerator for offer in offers}
    used |= {chip for bid in bids for chip, _ in bid.choices}
    return [
        (
            code,
            int(facts.chips[code]["vendor_country"] == "CN"),
            Decimal(facts.chips[code]["tflops"]) / MICROS,
            Decimal(facts.chips[code]["watts"]) / MICROS,
        )
        for code in sorted(used)
    ]


def _power(
    facts: Facts, sites: Sequence[SiteDraft], offers: Sequence[OfferDraft], share: Decimal
) -> Rows:
    site_of = {site.code: site for site in sites}
    kw: dict[tuple[str, int], Decimal] = {}
    for offer in offers:
        site = site_of[offer.site]
        watts = Decimal(facts.chips[offer.accelerator]["watts"]) / MICROS
        drawn = offer.quantity * watts * site.pue / WATTS_PER_KW
        for period in range(offer.first, offer.end):
            kw[site.region, period] = kw.get((site.region, period), Decimal(0)) + drawn
    return [
        (region, period, (total * share).quantize(Decimal("0.1")))
        for (region, period), total in sorted(kw.items())
    ]


def _bid(bid: BidDraft) -> tuple[Any, ...]:
    return (
        *(bid.name, bid.kind, bid.origin, bid.quantity, bid.price, bid.first, bid.end),
        *(bid.duration, bid.volume, bid.latency_ms_max, bid.gbps, bid.group),
        *(" ".join(bid.regions), bid.renewable_min),
    )


def _columns(file: str, rows: Rows) -> dict[str, list[str]]:
    names = BOOK_TABLES[file]
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    return {name: [row[place] for row in cells] for place, name in enumerate(names)}
