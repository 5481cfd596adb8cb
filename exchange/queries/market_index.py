"""The market's index: what an accelerator-hour cost, auction by auction, from trades alone.

The index of an accelerator is the sum of (clearing price x accelerator-hours sold) over all its
trades of an auction, divided by the accelerator-hours sold. Asks, bids and prices of cells in which
nothing was sold do not enter. The index of a class (GPU or NPU, of domestic or foreign vendors) is
the same sum divided by the PFLOPS-hours sold (FP16, dense), for its chips differ in size.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.core.cache import cache
from django.db import connection

from exchange.models import Auction
from exchange.queries.publications import published_auctions

POINTS_MAX = 120
KEPT_SECONDS = 30 * 24 * 3600
_TRADES = """
SELECT fill.auction_id, accelerator.code, accelerator.name, accelerator.kind, accelerator.domestic,
    sum(cell.price_ticks * fill.quantity_lots)::bigint, sum(fill.quantity_lots)::bigint,
    sum(fill.quantity_lots * accelerator.tflops_micros / 1000)::bigint
FROM exchange_offerfill AS fill
JOIN exchange_offer AS offer ON offer.id = fill.offer_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = offer.accelerator_id
JOIN exchange_cellprice AS cell ON cell.auction_id = fill.auction_id AND cell.period = fill.period
    AND cell.site_id = offer.site_id AND cell.accelerator_id = offer.accelerator_id
WHERE fill.auction_id = ANY(%(auctions)s)
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Traded:
    """What one auction sold of one accelerator: ticks times lots, lots, lots times GFLOPS."""

    auction: int
    accelerator: str
    name: str
    kind: str
    domestic: bool
    tick_lots: int
    lots: int
    gflops_lots: int

    @property
    def class_code(self) -> str:
        """The class of the accelerator."""
        return f"{self.kind}-{'domestic' if self.domestic else 'foreign'}"


@dataclass(frozen=True, slots=True)
class IndexPoint:
    """One auction; ticks per accelerator-hour or per PFLOPS-hour by code, None: nothing sold."""

    auction: Auction
    at: datetime
    ticks: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class IndexTable:
    """The index over the auctions of a series, the oldest first; columns are (code, name)."""

    columns: tuple[tuple[str, str], ...]
    points: tuple[IndexPoint, ...]


def accelerator_index(series: str, *, points: int = POINTS_MAX) -> IndexTable:
    """Return the index of every accelerator that traded, per accelerator-hour."""
    auctions, trades = _trades_of(series, points)
    names = sorted({(row.accelerator, row.name) for row in trades})
    ticks = {
        (row.auction, row.accelerator): _ratio(row.tick_lots, row.lots)
        for row in trades
        if row.lots
    }
    return _table(auctions, tuple(names), ticks)


def class_index(series: str, *, points: int = POINTS_MAX) -> IndexTable:
    """Return the index of every class that traded, per PFLOPS-hour."""
    auctions, trades = _trades_of(series, points)
    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for row in trades:
        paid, power = sums.get((row.auction, row.class_code), (0, 0))
        sums[row.auction, row.class_code] = (paid + row.tick_lots, power + row.gflops_lots)
    # A lot times a GFLOPS is a millionth of a PFLOPS times a thousandth of an accelerator.
    ticks = {key: _ratio(paid * 1_000_000, power) for key, (paid, power) in sums.items() if power}
    codes = sorted({code for _, code in sums})
    return _table(auctions, tuple((code, code) for code in codes), ticks)


def _ratio(above: int, below: int) -> int:
    return round(Fraction(above, below))


def _table(
    auctions: list[Auction],
    columns: tuple[tuple[str, str], ...],
    ticks: dict[tuple[int, str], int],
) -> IndexTable:
    points = (
        IndexPoint(
            auction, auction.starts_at, tuple(ticks.get((auction.pk, code)) for code, _ in columns)
        )
        for auction in auctions
    )
    return IndexTable(columns, tuple(points))


def _trades_of(series: str, points: int) -> tuple[list[Auction], list[Traded]]:
    """Return the last auctions of a series, the oldest first, and what they traded."""
    latest = published_auctions().filter(series__code=series).order_by("-starts_at")[:points]
    auctions = sorted(latest, key=lambda auction: auction.starts_at)
    keys = {_key(auction): auction for auction in auctions}
    kept = cache.get_many(keys)
    missing = {auction.pk: key for key, auction in keys.items() if key not in kept}
    if missing:
        found: dict[str, list[Any]] = {key: [] for key in missing.values()}
        for row in _read(missing):
            found[missing[row[0]]].append(row)
        cache.set_many(found, KEPT_SECONDS)
        kept |= found
    return auctions, [Traded(*row) for key in keys for row in kept[key]]


def _key(auction: Auction) -> str:
    """Name what is kept of an auction: its result is final, so it is kept for good."""
    return f"index:{auction.public_id}"


def _read(auctions: Iterable[int]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_TRADES, {"auctions": list(auctions)})
        rows: list[Any] = cursor.fetchall()
        return rows
