"""A market made by hand for the watch: who offered and sold what, at which price, in which hour."""

from datetime import datetime, timedelta

from accounts.models import Organization
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS
from exchange.models import (
    Accelerator,
    Auction,
    AuctionSeries,
    CellPrice,
    FindingKind,
    Offer,
    OfferEntry,
    OfferFill,
    OfferVersion,
    Site,
    WatchCase,
)
from exchange.queries.watch.findings import Span, Subject
from exchange.services.cases import open_case
from tests.exchange.markets import HOUR, auction_of, region_of
from tests.factories import OrganizationFactory, member, operator


def seller_at(code: str, *, region: str = "beijing", owner_group: str = "") -> Site:
    """Return a site of this code, whose provider is named after it."""
    provider = OrganizationFactory.create(
        name=f"Seller {code}", buys=False, owner_group=owner_group
    )
    return site_of(provider, code, region=region)


def site_of(provider: Organization, code: str, *, region: str = "beijing") -> Site:
    """Return a site of this code."""
    return Site.objects.create(
        code=code,
        name=code,
        provider=provider,
        region=region_of(region),
        pue_micros=1_200_000,
        renewable_micros=300_000,
    )


def auction_at(series: AuctionSeries, at: datetime, *, hours: int = 1) -> Auction:
    """Return a published auction of these hours."""
    return auction_of(
        series,
        state="published",
        opens_at=at - 30 * HOUR,
        closes_at=at - 24 * HOUR - timedelta(seconds=Auction.objects.count()),
        published_at=at - 23 * HOUR,
        starts_at=at,
        ends_at=at + hours * HOUR,
        periods=hours,
    )


def offered(
    auction: Auction,
    site: Site,
    *,
    quantity: int,
    sold: int = 0,
    ask: int = 2_000,
    price: int = 2_000,
    chip: str = "h100",
) -> Offer:
    """Enter an offer into a book, sold so far in every hour at this price."""
    accelerator = Accelerator.objects.get(code=chip)
    offer = Offer.objects.create(
        provider=site.provider, site=site, accelerator=accelerator, state="active"
    )
    version = OfferVersion.objects.create(
        offer=offer,
        number=1,
        starts_at=auction.starts_at,
        ends_at=auction.ends_at,
        quantity_lots=quantity * LOTS,
        price_ticks=ask,
        actor="a test",
    )
    Offer.objects.filter(pk=offer.pk).update(terms=version)
    OfferEntry.objects.create(auction=auction, version=version)
    for number in range(auction.periods):
        CellPrice.objects.get_or_create(
            auction=auction,
            site=site,
            accelerator=accelerator,
            period=number,
            defaults={"price_ticks": price},
        )
        if sold:
            period = auction.period(number)
            OfferFill.objects.create(
                auction=auction,
                offer=offer,
                period=number,
                starts_at=period.start,
                ends_at=period.end,
                quantity_lots=sold * LOTS,
            )
    return offer


def a_case() -> WatchCase:
    """Return an open case about a seller that sold alone for an hour, long ago."""
    at = market_now().replace(minute=0, second=0, microsecond=0) - 1_000 * HOUR
    auction = auction_at(AuctionSeries.objects.get(), at)
    offered(auction, seller_at("watched"), quantity=10, sold=5)
    subject = Subject(
        kind=FindingKind.CONCENTRATION,
        span=Span(at, at + HOUR),
        region="beijing",
        accelerator="h100",
    )
    case = open_case(subject, reason="one seller alone", actor=member(operator()))
    gone = {"voided_at": at, "reason_code": "a_test", "actor": "a test"}
    Auction.objects.filter(pk=auction.pk).update(state="voided", **gone)  # it has no result
    return case
