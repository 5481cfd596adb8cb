"""What an offer would have sold at the prices that were published last.

Each hour of the offer is compared with the same hour of the market's day in the latest day-ahead
auction (or the latest of any, where none is held) that priced the accelerator in the site's region.
Only prices of trades count: where nothing traded, nobody paid the price that stands there. An
estimate takes prices as they were, though a large offer would have lowered them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from exchange.foundation.money import TICKS, round_down, round_up
from exchange.models import Accelerator, Auction, CellPrice, OfferFill, PowerPrice, Site
from exchange.models.auctions import Horizon
from exchange.queries.seller_prices import policy_price, power_price

HOUR = timedelta(hours=1)
HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferEstimate:
    """Of the offer's hours, how many the auction priced, and what became of them.

    In ``sold_hours`` the ask was below what sellers got; in ``shared_hours`` just at it, so that a
    part was sold. ``earnings_micros`` are those of the sold hours. Below ``all_below_ticks`` every
    hour sells (None: in some hour nothing traded at all), from ``none_from_ticks`` on not one.
    """

    auction: Auction
    hours: int
    sold_hours: int
    shared_hours: int
    earnings_micros: int
    all_below_ticks: int | None
    none_from_ticks: int | None

    @property
    def sold_percent(self) -> int:
        """The sold hours as whole percent of those with a price."""
        return self.sold_hours * 100 // self.hours


def estimate_offer(
    site: Site,
    accelerator: Accelerator,
    hours: tuple[datetime, datetime],
    *,
    quantity_lots: int,
    price_ticks: int,
) -> OfferEstimate | None:
    """Return what would have been sold between two full hours; None if nothing is comparable."""
    auction = _latest_auction(site, accelerator)
    if auction is None:
        return None
    zone = ZoneInfo(auction.series.time_zone)
    by_hour = dict(_by_hour_of_day(auction, _seller_prices(auction, site, accelerator), zone))
    wanted = {hour: n for hour, n in _hours_of_day(*hours, zone).items() if hour in by_hour}
    if not wanted:
        return None
    got = [(price, wanted[hour]) for hour in wanted if (price := by_hour[hour]) is not None]
    paid = [price for price, _ in got]
    sold = [(price, n) for price, n in got if price > price_ticks]
    is_whole = len(got) == len(wanted)
    return OfferEstimate(
        auction=auction,
        hours=sum(wanted.values()),
        sold_hours=sum(n for _, n in sold),
        shared_hours=sum(n for price, n in got if price == price_ticks),
        earnings_micros=round_down(sum((p * n for p, n in sold), Fraction()) * quantity_lots),
        all_below_ticks=max(0, round_up(min(paid))) if is_whole else None,
        none_from_ticks=max(0, round_up(max(paid))) if paid else None,
    )


def _latest_auction(site: Site, accelerator: Accelerator) -> Auction | None:
    priced = CellPrice.objects.visible_to(None).filter(
        accelerator=accelerator, site__region_id=site.region_id
    )
    rows = Auction.objects.visible_to(None).published().select_related("series", "result")
    latest = rows.filter(pk__in=priced.values("auction_id")).order_by("-published_at")
    return latest.filter(series__horizon=Horizon.DAY_AHEAD).first() or latest.first()


def _seller_prices(
    auction: Auction, site: Site, accelerator: Accelerator
) -> dict[int, Fraction | None]:
    """Return what sellers got by period, in ticks; None where nothing traded in the region.

    It is the site's own price where that traded, else the lowest of the region's that did.
    """
    here = {"auction": auction, "offer__accelerator": accelerator}
    fills = OfferFill.objects.visible_to(None).filter(offer__site__region=site.region_id, **here)
    traded = set(fills.values_list("offer__site_id", "period").distinct())
    rows = CellPrice.objects.visible_to(None).filter(
        auction=auction, accelerator=accelerator, site__region=site.region_id
    )
    found: dict[int, dict[int, int]] = {}
    for place, period, ticks in rows.values_list("site_id", "period", "price_ticks"):
        cells = found.setdefault(period, {})
        if (place, period) in traded:
            cells[place] = ticks
    parts = _power_ticks(auction, site, accelerator), _policy_ticks(auction, accelerator)
    return {
        period: cells.get(site.pk, min(cells.values())) - parts[0].get(period, 0) + parts[1]
        if cells
        else None
        for period, cells in found.items()
    }


def _power_ticks(auction: Auction, site: Site, accelerator: Accelerator) -> dict[int, Fraction]:
    """Return what the power of an accelerator-hour cost, where the region's budget was used up."""
    rows = PowerPrice.objects.visible_to(None).filter(auction=auction, region=site.region_id)
    watts = accelerator.watts_micros or 0
    return {
        period: TICKS * power_price(ticks, watts_micros=watts, pue_micros=site.pue_micros)
        for period, ticks in rows.values_list("period", "price_ticks")
    }


def _policy_ticks(auction: Auction, accelerator: Accelerator) -> Fraction:
    """Return what the domestic share added to a seller's price."""
    result = getattr(auction, "result", None)
    return TICKS * policy_price(
        0 if result is None else result.domestic_share_nanos,
        auction.min_domestic_share_micros,
        tflops_micros=accelerator.tflops_micros or 0,
        domestic=accelerator.domestic,
    )


def _by_hour_of_day(
    auction: Auction, prices: dict[int, Fraction | None], zone: ZoneInfo
) -> Iterator[tuple[int, Fraction | None]]:
    """Yield the price of each hour of the market's day; the last period of equals counts."""
    length = timedelta(minutes=auction.period_minutes)
    for period, price in sorted(prices.items()):
        start = auction.starts_at + period * length
        for number in range(min(HOURS_A_DAY, max(1, length // HOUR))):
            yield (start + number * HOUR).astimezone(zone).hour, price


def _hours_of_day(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> Counter[int]:
    """Count how often each hour of the market's day comes between two moments."""
    whole, rest = divmod((ends_at - starts_at) // HOUR, HOURS_A_DAY)
    counted = Counter({hour: whole for hour in range(HOURS_A_DAY) if whole})
    for number in range(rest):
        counted[(starts_at + number * HOUR).astimezone(zone).hour] += 1
    return counted
