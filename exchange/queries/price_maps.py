"""What an accelerator-hour cost, region by region and period by period of one auction."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from exchange.models import Auction

# As an index is made (market.md, section 5), but for every period: the volume-weighted price of the
# cells that traded, else the lowest, which is what the next unit would have cost.
_PRICES = """
WITH sold AS (
    SELECT offer.site_id, offer.accelerator_id, fill.period, sum(fill.quantity_lots) AS lots
    FROM exchange_offerfill AS fill JOIN exchange_offer AS offer ON offer.id = fill.offer_id
    WHERE fill.auction_id = %(auction)s
    GROUP BY 1, 2, 3
)
SELECT region.code, accelerator.code, cell.period,
    round(sum(cell.price_ticks * sold.lots) / sum(sold.lots))::bigint,
    min(cell.price_ticks), max(cell.price_ticks), coalesce(sum(sold.lots), 0)::bigint
FROM exchange_cellprice AS cell
JOIN exchange_site AS site ON site.id = cell.site_id
JOIN exchange_region AS region ON region.id = site.region_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = cell.accelerator_id
LEFT JOIN sold ON sold.site_id = cell.site_id AND sold.accelerator_id = cell.accelerator_id
              AND sold.period = cell.period
WHERE cell.auction_id = %(auction)s
  AND (%(accelerator)s::text IS NULL OR accelerator.code = %(accelerator)s)
GROUP BY 1, 2, 3
ORDER BY 2, 1, 3
"""
HEATS = 5


@dataclass(frozen=True, slots=True)
class RegionPrice:
    """One accelerator in one region in one period; prices in ticks per accelerator-hour.

    ``traded_ticks`` is None where nothing was sold, then ``least_ticks`` is what the next unit
    would have cost. ``lots`` is what was sold.
    """

    region: str
    accelerator: str
    period: int
    traded_ticks: int | None
    least_ticks: int
    most_ticks: int
    lots: int

    @property
    def ticks(self) -> int:
        """The price to show."""
        return self.least_ticks if self.traded_ticks is None else self.traded_ticks


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A price and which fifth of the map's range it falls in, 0 to 4."""

    price: RegionPrice
    heat: int


@dataclass(frozen=True, slots=True)
class PriceMap:
    """Regions down, periods across; None where nothing was offered."""

    hours: tuple[datetime, ...]
    rows: tuple[tuple[str, tuple[HeatCell | None, ...]], ...]


def region_prices(auction: Auction, accelerator: str | None = None) -> list[RegionPrice]:
    """Return the prices of a published auction, of one accelerator or of all."""
    with connection.cursor() as cursor:
        cursor.execute(_PRICES, {"auction": auction.pk, "accelerator": accelerator})
        return [RegionPrice(*row) for row in cursor.fetchall()]


def price_map(auction: Auction, accelerator: str) -> PriceMap:
    """Return the prices of one accelerator as a map of heat."""
    prices = region_prices(auction, accelerator)
    cells = {(price.region, price.period): price for price in prices}
    ticks = [price.ticks for price in prices]
    least, most = min(ticks, default=0), max(ticks, default=0)
    regions = sorted({price.region for price in prices})
    hours = tuple(auction.period(number).start for number in range(auction.periods))

    def heated(region: str) -> Iterator[HeatCell | None]:
        for period in range(auction.periods):
            price = cells.get((region, period))
            yield HeatCell(price, heat_of(price.ticks, least, most)) if price else None

    return PriceMap(hours, tuple((region, tuple(heated(region))) for region in regions))


def heat_of(value: int, least: int, most: int) -> int:
    """Return which fifth of the range from ``least`` to ``most`` a value falls in, 0 to 4."""
    return min(HEATS - 1, (value - least) * HEATS // max(1, most - least))
