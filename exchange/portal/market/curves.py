"""Supply and demand with the point where they met."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from exchange.portal.market.kept import kept_page
from exchange.portal.market.sights import Sight, asked_of, result_or_404, sight_of
from exchange.queries.archived_books import archived_clearing
from exchange.queries.curves import Curves, curves_at


@require_safe
def market_curves(request: HttpRequest) -> HttpResponseBase:
    """Show both curves of one region, accelerator and hour."""

    def context() -> tuple[dict[str, Any], bool]:
        sight = sight_of(request.GET, "accelerator", "region", "period")
        if sight is None or not sight.is_valid:
            return {"sight": sight}, sight is None
        return {"sight": sight, "curves": curves_of(sight), "query": _query(sight)}, True

    return kept_page(
        request,
        "exchange/market/curves.html",
        title=_("Supply and demand"),
        asked=asked_of(request),
        context=context,
        live="auction" not in request.GET,
    )


def curves_of(sight: Sight) -> Curves:
    """Return the curves of what is looked at, out of the archived book and result."""
    book, clearing = archived_clearing(result_or_404(sight.auction.public_id))
    return curves_at(
        book,
        clearing,
        region=sight.chosen("region"),
        accelerator=sight.chosen("accelerator"),
        period=int(sight.chosen("period")),
    )


def _query(sight: Sight) -> str:
    chosen = (f"{name}={sight.chosen(name)}" for name in ("region", "accelerator", "period"))
    return "?" + "&".join(chosen)
