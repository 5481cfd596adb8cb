"""What published auctions say about the market: fills, demand served, use by region."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from exchange.models import Auction, AuctionState, BidFill, CellPrice


def public_fills() -> QuerySet[BidFill]:
    """Return the fills of published auctions with their clearing price, ``price_ticks``."""
    price = CellPrice.objects.filter(
        auction=OuterRef("auction"),
        site=OuterRef("site"),
        accelerator=OuterRef("accelerator"),
        period=OuterRef("period"),
    )
    fills = BidFill.objects.visible_to(None).filter(auction__state=AuctionState.PUBLISHED)
    named = fills.select_related("auction", "site__region", "accelerator", "route__origin")
    return named.annotate(price_ticks=Subquery(price.values("price_ticks")[:1]))


# A job with alternatives asks once: for as much as its largest alternative.
SERVED = """
WITH asked AS (
    SELECT bid.organization_id, CASE bid."group" WHEN '' THEN bid.public_id ELSE bid."group" END,
        max(CASE bid.kind
            WHEN 'volume' THEN bid.volume_lot_minutes
            WHEN 'block' THEN bid.quantity_lots * bid.duration_minutes
            ELSE bid.quantity_lots * extract(epoch FROM bid.ends_at - bid.starts_at)::bigint / 60
        END) AS lot_minutes,
        sum(answer.filled_lot_minutes) AS filled_lot_minutes
    FROM exchange_bidanswer AS answer JOIN exchange_bid AS bid ON bid.id = answer.bid_id
    WHERE answer.auction_id = %(auction)s
    GROUP BY 1, 2)
SELECT count(*), count(*) FILTER (WHERE filled_lot_minutes > 0),
    COALESCE(sum(lot_minutes), 0)::bigint, COALESCE(sum(filled_lot_minutes), 0)::bigint
FROM asked
"""
USE = """
SELECT region.code, accelerator.kind, count(DISTINCT site.id),
    (sum(fill.quantity_lots) * auction.period_minutes)::bigint,
    (sum(fill.quantity_lots * accelerator.tflops_micros) * auction.period_minutes
        / 1000000)::bigint,
    (sum(fill.quantity_lots) FILTER (WHERE origin.id <> region.id) * auction.period_minutes)::bigint
FROM exchange_bidfill AS fill
JOIN exchange_auction AS auction ON auction.id = fill.auction_id
JOIN exchange_site AS site ON site.id = fill.site_id
JOIN exchange_region AS region ON region.id = site.region_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = fill.accelerator_id
JOIN exchange_route AS route ON route.id = fill.route_id
JOIN exchange_region AS origin ON origin.id = route.origin_id
WHERE fill.auction_id = %(auction)s
GROUP BY region.code, accelerator.kind, auction.period_minutes
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandServed:
    """How many jobs an auction had, how many got something, and how much of what was asked.

    Amounts are lots of units times minutes.
    """

    jobs: int
    jobs_served: int
    lot_minutes: int
    lot_minutes_served: int

    @property
    def share(self) -> float:
        """Return the part of what was asked that was served; 1 where nothing was asked."""
        return self.lot_minutes_served / self.lot_minutes if self.lot_minutes else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionUse:
    """What ran in a region: lots of accelerators times minutes, and of TFLOPS times minutes.

    ``lot_minutes_from_afar`` is the part that came from other regions.
    """

    region: str
    kind: str
    sites: int
    lot_minutes: int
    tflops_lot_minutes: int
    lot_minutes_from_afar: int


def demand_served(auction: Auction) -> DemandServed:
    """Return how much of the demand a cleared auction served."""
    with connection.cursor() as cursor:
        cursor.execute(SERVED, {"auction": auction.pk})
        jobs, served, asked, got = cursor.fetchone()
    return DemandServed(jobs=jobs, jobs_served=served, lot_minutes=asked, lot_minutes_served=got)


def use_by_region(auction: Auction) -> list[RegionUse]:
    """Return what runs where, by region and kind of accelerator."""
    with connection.cursor() as cursor:
        cursor.execute(USE, {"auction": auction.pk})
        rows = cursor.fetchall()
    return [
        RegionUse(
            region=region,
            kind=kind,
            sites=sites,
            lot_minutes=lots,
            tflops_lot_minutes=tflops,
            lot_minutes_from_afar=afar or 0,
        )
        for region, kind, sites, lots, tflops, afar in rows
    ]
