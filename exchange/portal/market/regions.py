"""The regions on a map: what an hour cost there, what flowed between them, how full links were."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from exchange.models import Auction
from exchange.portal.market.drawing import Drawing, draw
from exchange.portal.market.kept import kept_page
from exchange.portal.market.sights import (
    Sight,
    asked_of,
    region_names,
    result_or_404,
    sight_of,
)
from exchange.queries.archived_books import archived_clearing
from exchange.queries.catalogue import catalogue_now
from exchange.queries.flows import Flow, LinkUse, flows_of, links_used
from exchange.queries.price_maps import region_prices

FLOWS_SHOWN = 40


@require_safe
def market_map(request: HttpRequest) -> HttpResponseBase:
    """Show the regions with prices, flows and links, in one hour or over the delivery."""

    def context() -> tuple[dict[str, Any], bool]:
        sight = sight_of(request.GET, "accelerator", "period", every_hour=True)
        if sight is None or not sight.is_valid:
            return {"sight": sight}, sight is None
        return {"sight": sight} | _shown(sight), True

    return kept_page(
        request,
        "exchange/market/map.html",
        title=_("Map"),
        asked=asked_of(request),
        context=context,
        live="auction" not in request.GET,
    )


def _shown(sight: Sight) -> dict[str, Any]:
    asked = sight.chosen("period")
    period = int(asked) if asked else None
    flows, links = network_of(sight.auction, period)
    away = [flow for flow in flows if flow.origin != flow.region]
    prices = region_ticks(sight.auction, sight.chosen("accelerator"), period)
    names = region_names()
    drawing: Drawing = draw(catalogue_now().regions.values(), prices, away, links)
    return {
        "drawing": drawing,
        "prices": sorted(prices.items()),
        "flows": away[:FLOWS_SHOWN],
        "home_lots": sum(flow.lots for flow in flows) - sum(flow.lots for flow in away),
        "away_lots": sum(flow.lots for flow in away),
        "links": sorted(links, key=lambda link: -(link.share_micros or 0)),
        "names": names,
        "accelerator": sight.chosen("accelerator"),
        "query": f"?period={asked}" if asked else "",
    }


def network_of(auction: Auction, period: int | None) -> tuple[list[Flow], list[LinkUse]]:
    """Return the flows and the links of a published auction."""
    book, _clearing = archived_clearing(result_or_404(auction.public_id))
    return flows_of(auction, period), links_used(auction, book, period)


def region_ticks(auction: Auction, accelerator: str, period: int | None) -> dict[str, int]:
    """Return each region's price in one period, or its index over all: from trades if there were.

    Where nothing traded it is the lowest price that the next unit would have cost.
    """
    paid: dict[str, int] = {}
    lots: dict[str, int] = {}
    least: dict[str, int] = {}
    for price in region_prices(auction, accelerator):
        if period is not None and price.period != period:
            continue
        code = price.region
        paid[code] = paid.get(code, 0) + (price.traded_ticks or 0) * price.lots
        lots[code] = lots.get(code, 0) + price.lots
        least[code] = min(least.get(code, price.least_ticks), price.least_ticks)
    return {code: round(paid[code] / lots[code]) if lots[code] else least[code] for code in least}
