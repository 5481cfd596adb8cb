"""The market of the play: its series, its limits, the providers' sites and their offers."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from accounts.models import Organization
from exchange.foundation.market_time import market_now
from exchange.foundation.money import MICROS, parse_scaled
from exchange.management.demo import platform
from exchange.management.demo.parties import acting_for
from exchange.management.demo.platform import Size
from exchange.management.traces.drafts import OfferDraft, SiteDraft
from exchange.management.traces.sources import Prices
from exchange.management.traces.supply import draft_supply
from exchange.models import (
    Accelerator,
    Auction,
    AuctionSeries,
    Horizon,
    Link,
    Offer,
    PowerBudget,
    Region,
    Site,
    SiteCapacity,
)
from exchange.services.offer_imports import import_offers

GATE_MINUTE = 12 * 60
OPEN_MINUTES = 24 * 60
FIRST_OFFER = "o00000"  # every day's list begins with it
WATTS_PER_KW = 1_000
LIMITS_SINCE = datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC"))


def midnight(day: date) -> datetime:
    """Return the first moment of a day at the market's place."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(settings.MARKET_TIME_ZONE))


def day_of(auction: Auction) -> date:
    """Return the day that an auction sells, at the market's place."""
    return auction.starts_at.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)).date()


def today() -> date:
    """Return the market's date."""
    return market_now().astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)).date()


def day_listed_first() -> date | None:
    """Return the first day for which all providers offered, None before any."""
    listed = Offer.objects.filter(label__endswith=f" {FIRST_OFFER}").order_by("pk")
    label = listed.values_list("label", flat=True).first()
    return date.fromisoformat(label.split()[0]) if label else None


def ensure_series() -> AuctionSeries:
    """Return the day-ahead series of the play."""
    series, _ = AuctionSeries.objects.get_or_create(
        code=platform.SERIES,
        defaults={
            "name": "Day ahead (demo)",
            "horizon": Horizon.DAY_AHEAD,
            "time_zone": settings.MARKET_TIME_ZONE,
            "currency": settings.MARKET_CURRENCY,
            "period_minutes": 60,
            "gate_minute": GATE_MINUTE,
            "open_minutes": OPEN_MINUTES,
            "price_cap_ticks": platform.PRICE_CAP_TICKS,
            "min_domestic_share_micros": int(platform.MIN_DOMESTIC_SHARE * MICROS),
            "buyer_fee_ppm": platform.BUYER_FEE_PPM,
            "seller_fee_ppm": platform.SELLER_FEE_PPM,
        },
    )
    return series


def tflops_of_chips() -> dict[str, float]:
    """Return FP16 dense TFLOPS by the code of each tradable chip."""
    chips = Accelerator.objects.filter(tradable=True)
    return {chip.code: (chip.tflops_micros or 0) / MICROS for chip in chips}


def draft_offers(prices: Prices, size: Size) -> tuple[list[SiteDraft], list[OfferDraft]]:
    """Return the sites and offers of the platform's providers."""
    regions = Region.objects.all()
    return draft_supply(
        list(platform.nodes(size)),
        prices=prices,
        tflops=tflops_of_chips(),
        pue={region.code: Decimal(region.pue_micros_max) / MICROS for region in regions},
        seed=platform.SEED,
        share=1.0,
        nodes_per_provider=len(platform.NODES),
    )


def build_sites(
    sites: Sequence[SiteDraft], offers: Sequence[OfferDraft], providers: Sequence[Organization]
) -> None:
    """Create the sites that are missing, with as many accelerators as their offers name."""
    regions = {region.code: region for region in Region.objects.all()}
    chips = {chip.code: chip for chip in Accelerator.objects.all()}
    for draft in sites:
        site, is_new = Site.objects.get_or_create(
            code=draft.code,
            defaults={
                "name": draft.code,
                "provider": providers[draft.provider],
                "region": regions[draft.region],
                "pue_micros": int(draft.pue * MICROS),
                "renewable_micros": int(draft.renewable_share * MICROS),
                "source": "made for the demo",
            },
        )
        for chip, lots in _lots_at(draft.code, offers).items() if is_new else ():
            SiteCapacity.objects.create(
                site=site, accelerator=chips[chip], quantity_lots=lots, starts_at=LIMITS_SINCE
            )


def set_limits(sites: Sequence[SiteDraft], offers: Sequence[OfferDraft]) -> None:
    """Limit every backbone link, and each region's power to a part of what its chips could draw."""
    Link.objects.update(gbps_micros=parse_scaled(str(platform.LINK_GBPS), scale=MICROS))
    region_of = {site.code: site for site in sites}
    watts = dict(Accelerator.objects.values_list("code", "watts_micros"))
    potential: dict[str, Decimal] = {}
    for offer in offers:
        site = region_of[offer.site]
        kw = offer.quantity * Decimal(watts[offer.accelerator] or 0) * site.pue / WATTS_PER_KW
        potential[site.region] = potential.get(site.region, Decimal(0)) + kw
    for region in Region.objects.filter(code__in=potential, power_budgets=None):
        budget = int(potential[region.code] * platform.POWER_OF_POTENTIAL)
        PowerBudget.objects.create(region=region, kw_micros=budget, starts_at=LIMITS_SINCE)


def list_offers(
    offers: Iterable[tuple[date, OfferDraft]], owners: Mapping[str, Organization]
) -> None:
    """List what is not listed yet of days' offers: each provider uploads one file."""
    wanted = {f"{day} {offer.name}": (day, offer) for day, offer in offers}
    there = set(Offer.objects.filter(label__in=wanted).values_list("label", flat=True))
    files: dict[str, list[dict[str, str]]] = {}
    for label, (day, offer) in wanted.items():
        if label not in there:
            files.setdefault(offer.site, []).append(_row(label, day, offer))
    for site, rows in files.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        import_offers(text.getvalue().encode(), caller=acting_for(owners[site]))


def _row(label: str, day: date, offer: OfferDraft) -> dict[str, str]:
    start = midnight(day)
    return {
        "site": offer.site,
        "accelerator": offer.accelerator,
        "starts_at": (start + timedelta(hours=offer.first)).isoformat(),
        "ends_at": (start + timedelta(hours=offer.end)).isoformat(),
        "quantity": str(offer.quantity),
        "price": str(offer.price),
        "label": label,
    }


def _lots_at(site: str, offers: Sequence[OfferDraft]) -> dict[str, int]:
    lots: dict[str, int] = {}
    for offer in offers:
        if offer.site == site:
            lots[offer.accelerator] = lots.get(offer.accelerator, 0) + offer.quantity * 1_000
    return lots
