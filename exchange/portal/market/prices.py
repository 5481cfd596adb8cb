"""Prices by region and hour: a map of heat with its table."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from exchange.portal.market.kept import kept_page
from exchange.portal.market.sights import asked_of, region_names, sight_of
from exchange.queries.price_maps import price_map


@require_safe
def market_prices(request: HttpRequest) -> HttpResponseBase:
    """Show what an accelerator cost in every region and hour of an auction's delivery."""

    def context() -> tuple[dict[str, Any], bool]:
        sight = sight_of(request.GET, "accelerator")
        if sight is None or not sight.is_valid:
            return {"sight": sight}, sight is None
        chip = sight.chosen("accelerator")
        prices = price_map(sight.auction, chip)
        shown = {"map": prices, "names": region_names(), "accelerator": chip}
        return {"sight": sight, "query": f"?accelerator={chip}"} | shown, True

    return kept_page(
        request,
        "exchange/market/prices.html",
        title=_("Prices"),
        asked=asked_of(request),
        context=context,
        live="auction" not in request.GET,
    )
