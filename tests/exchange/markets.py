"""A small market for tests: two regions, three chips, a site, and an auction that is open."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.foundation.ids import new_id
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, MICROS
from exchange.models import (
    Accelerator,
    AiModel,
    Auction,
    AuctionSeries,
    Link,
    Region,
    Route,
    Site,
    SiteCapacity,
)
from settlement.services.deposits import deposit
from tests.factories import OrganizationFactory, caller, operator

HOUR = timedelta(hours=1)
PRICE_CAP_TICKS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Market:
    """What a test needs to place orders."""

    series: AuctionSeries
    auction: Auction
    site: Site
    provider: Organization


def region_of(code: str) -> Region:
    """Return a region of this code."""
    return Region.objects.get_or_create(
        code=code,
        defaults={
            "name": code.title(),
            "latitude_micros": 40_000_000,
            "longitude_micros": 116_000_000,
            "pue_micros_max": 1_300_000,
            "source": "a test",
        },
    )[0]


def chip(code: str, **changes: Any) -> Accelerator:
    """Return a tradable accelerator of this code, unless changed."""
    plain = {
        "name": code,
        "vendor": "Vendor",
        "kind": "gpu",
        "domestic": False,
        "memory_gb": 80,
        "tflops_micros": 990 * MICROS,
        "watts_micros": 700 * MICROS,
        "grade": "A",
        "tradable": True,
        "source": "a test",
    }
    return Accelerator.objects.create(code=code, **(plain | changes))


def series_of(code: str = "day-ahead", **changes: Any) -> AuctionSeries:
    """Return a series of day-ahead auctions."""
    plain = {
        "name": code,
        "horizon": "day_ahead",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "period_minutes": 60,
        "open_minutes": 1_440,
        "price_cap_ticks": PRICE_CAP_TICKS,
        "buyer_fee_ppm": 10_000,
        "seller_fee_ppm": 10_000,
    }
    return AuctionSeries.objects.create(code=code, **(plain | changes))


def auction_of(series: AuctionSeries, **changes: Any) -> Auction:
    """Return an auction of four hours whose gate is open for an hour, unless changed."""
    hour = market_now().replace(minute=0, second=0, microsecond=0)
    plain: dict[str, Any] = {
        "state": "open",
        "opens_at": hour - HOUR,
        "closes_at": market_now() + HOUR,
        "starts_at": hour + 24 * HOUR,
        "ends_at": hour + 28 * HOUR,
        "period_minutes": 60,
        "periods": 4,
    }
    taken_over = {field.name for field in AuctionSeries._meta.get_fields()} - set(plain)
    for field in Auction._meta.get_fields():
        if field.name in taken_over and field.name not in ("id", "auctions"):
            plain[field.name] = getattr(series, field.name)
    return Auction.objects.create(series=series, **(plain | changes))


def market() -> Market:
    """Return the market: chips h100 and ascend are traded, mystery is not."""
    beijing, guizhou = region_of("beijing"), region_of("guizhou")
    for origin in (beijing, guizhou):
        for region in (beijing, guizhou):
            Route.objects.create(
                code=f"{origin.code}-{region.code}",
                origin=origin,
                region=region,
                latency_micros=MICROS if origin == region else 30 * MICROS,
                source="a test",
            )
    h100 = chip("h100")
    chip("ascend", kind="npu", domestic=True, memory_gb=64, tflops_micros=320 * MICROS)
    chip("mystery", grade="C", tradable=False)
    AiModel.objects.create(
        code="qwen-72b", name="Qwen 72B", params_total=72 * 10**9, modality="text", source="a test"
    )
    provider = OrganizationFactory.create(name="Provider", buys=False)
    site = Site.objects.create(
        code="bj-1",
        name="Beijing 1",
        provider=provider,
        region=beijing,
        pue_micros=1_200_000,
        renewable_micros=300_000,
    )
    capacity_of(site, h100)
    series = series_of()
    return Market(series=series, auction=auction_of(series), site=site, provider=provider)


def capacity_of(site: Site, accelerator: Accelerator, lots: int = 100 * LOTS) -> SiteCapacity:
    """Return a hundred accelerators that stand at the site from long ago on."""
    since = market_now() - 1_000 * HOUR
    return SiteCapacity.objects.create(
        site=site, accelerator=accelerator, quantity_lots=lots, starts_at=since
    )


def limit_link(gbps: int) -> Link:
    """Put the route from Guizhou to Beijing on a link of so many Gbps."""
    origin, region = Region.objects.get(code="guizhou"), Region.objects.get(code="beijing")
    link = Link.objects.create(
        code="gz.bj", origin=origin, region=region, gbps_micros=gbps * MICROS, source="a test"
    )
    Route.objects.filter(origin=origin, region=region).update(links=[link.code])
    return link


def buyer(money_micros: int = 10**12, organization: Organization | None = None) -> Caller:
    """Return a caller who buys, with this much money."""
    who = caller(organization or OrganizationFactory.create(name="Buyer", provides=False))
    give_money(who.organization_id, money_micros)
    return who


def give_money(organization_id: int, amount_micros: int) -> None:
    """Let an operator enter a deposit."""
    if amount_micros:
        deposit(
            organization_id,
            amount_micros=amount_micros,
            reason="a test",
            actor=caller(operator()),
            key=new_id("dep"),
        )


def at(auction: Auction, hour: int) -> str:
    """Return the start of an hour of the auction as a body says it."""
    moment: datetime = auction.starts_at + hour * HOUR
    return moment.isoformat()


def bid_body(auction: Auction, /, **changes: Any) -> dict[str, Any]:
    """Return the body of an hourly bid: 2 units at up to 3.000 in all four hours."""
    plain = {
        "auction": auction.public_id,
        "kind": "hourly",
        "time_in_force": "auction",
        "origin": "beijing",
        "starts_at": at(auction, 0),
        "ends_at": at(auction, 4),
        "quantity": "2",
        "limit_price": "3.000",
        "accelerators": [{"accelerator": "h100", "factor": "1"}],
    }
    return {name: value for name, value in (plain | changes).items() if value is not ...}


def block_body(auction: Auction, /, **changes: Any) -> dict[str, Any]:
    """Return the body of a block: 2 units for 2 hours."""
    return bid_body(auction, **({"kind": "block", "duration": "2"} | changes))


def volume_body(auction: Auction, /, **changes: Any) -> dict[str, Any]:
    """Return the body of a volume bid: 6 unit-hours."""
    return bid_body(auction, **({"kind": "volume", "volume": "6"} | changes))


def offer_body(auction: Auction, /, **changes: Any) -> dict[str, Any]:
    """Return the body of an offer: 10 h100 at 2.000 in all four hours."""
    plain = {
        "site": "bj-1",
        "accelerator": "h100",
        "starts_at": at(auction, 0),
        "ends_at": at(auction, 4),
        "quantity": "10",
        "price": "2.000",
    }
    return {name: value for name, value in (plain | changes).items() if value is not ...}


def standing_body(auction: Auction, /, **changes: Any) -> dict[str, Any]:
    """Return the body of an hourly bid that stands over the hours of an auction."""
    return bid_body(auction, **({"time_in_force": "standing", "auction": ...} | changes))
