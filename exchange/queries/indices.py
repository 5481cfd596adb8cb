"""What an accelerator-hour cost in each region: the index of a published auction."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import cache
from django.db import connection

from exchange.models import Auction

BOARD_KEPT_SECONDS = 300
# A region's index is the volume-weighted price of its cells that traded, else its lowest ask
# (market.md, section 5); where nothing trades a cell's price is what the next unit costs.
_INDICES = """
WITH sold AS (
    SELECT offer.site_id, offer.accelerator_id, fill.period, sum(fill.quantity_lots) AS lots
    FROM exchange_offerfill fill JOIN exchange_offer offer ON offer.id = fill.offer_id
    WHERE fill.auction_id = %(auction)s
    GROUP BY 1, 2, 3
)
SELECT region.code, region.name, accelerator.code, accelerator.name, accelerator.kind,
       round(sum(cell.price_ticks * sold.lots) / sum(sold.lots))::bigint,
       min(cell.price_ticks), max(cell.price_ticks),
       coalesce(sum(sold.lots), 0)::bigint
FROM exchange_cellprice cell
JOIN exchange_site site ON site.id = cell.site_id
JOIN exchange_region region ON region.id = site.region_id
JOIN exchange_accelerator accelerator ON accelerator.id = cell.accelerator_id
LEFT JOIN sold ON sold.site_id = cell.site_id AND sold.accelerator_id = cell.accelerator_id
              AND sold.period = cell.period
WHERE cell.auction_id = %(auction)s
GROUP BY 1, 2, 3, 4, 5
ORDER BY 3, 1
"""


@dataclass(frozen=True, slots=True)
class RegionIndex:
    """One accelerator in one region over all periods of an auction.

    Prices in ticks per accelerator-hour; ``index_ticks`` is None where nothing traded, then
    ``least_ticks`` is what the next unit would have cost. ``lot_periods`` is what traded.
    """

    region: str
    region_name: str
    accelerator: str
    accelerator_name: str
    kind: str
    index_ticks: int | None
    least_ticks: int
    most_ticks: int
    lot_periods: int


@dataclass(frozen=True, slots=True)
class PriceBoard:
    """The indices of one auction as a table: accelerators down, regions across."""

    auction: Auction
    regions: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str, tuple[RegionIndex | None, ...]], ...]


def region_indices(auction: Auction) -> tuple[RegionIndex, ...]:
    """Return the index of every accelerator in every region that offered it, by their codes."""
    with connection.cursor() as cursor:
        cursor.execute(_INDICES, {"auction": auction.pk})
        return tuple(RegionIndex(*row) for row in cursor.fetchall())


def latest_board() -> PriceBoard | None:
    """Return the prices that were published last, or nothing before the first publication."""
    auctions = Auction.objects.visible_to(None).published().select_related("series")
    auction = auctions.order_by("-published_at").first()
    if auction is None:
        return None
    # Final once it is published; names may change, so it is not kept for long.
    shelf = f"board:{auction.public_id}"
    kept: PriceBoard | None = cache.get(shelf)
    if kept is None:
        kept = board_of(auction)
        cache.set(shelf, kept, BOARD_KEPT_SECONDS)
    return kept


def board_of(auction: Auction) -> PriceBoard:
    """Return the indices of a published auction as a table."""
    cells = {(row.accelerator, row.region): row for row in region_indices(auction)}
    regions = tuple(sorted({(row.region, row.region_name) for row in cells.values()}))
    chips = sorted({(row.accelerator, row.accelerator_name) for row in cells.values()})
    return PriceBoard(auction, regions, tuple(_rows(chips, regions, cells)))


def _rows(
    chips: list[tuple[str, str]],
    regions: tuple[tuple[str, str], ...],
    cells: dict[tuple[str, str], RegionIndex],
) -> Iterator[tuple[str, str, tuple[RegionIndex | None, ...]]]:
    for code, name in chips:
        yield code, name, tuple(cells.get((code, region)) for region, _ in regions)
