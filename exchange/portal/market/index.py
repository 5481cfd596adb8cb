"""The market's index over time, per accelerator and per class."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.web.words import WORDS
from exchange.models import AuctionSeries
from exchange.portal.market.kept import kept_page
from exchange.queries.market_index import IndexTable, accelerator_index, class_index

CLASSES = {
    "gpu-domestic": _("GPU, domestic vendors"),
    "gpu-foreign": _("GPU, foreign vendors"),
    "npu-domestic": _("NPU, domestic vendors"),
    "npu-foreign": _("NPU, foreign vendors"),
}
SHOWN_ROWS = 31


def series_of(request: HttpRequest) -> tuple[list[AuctionSeries], AuctionSeries | None]:
    """Return all series and the one that is asked for: the daily one, or else the first."""
    rows = list(AuctionSeries.objects.visible_to(None))
    asked = request.GET.get("series", "")
    found = next((row for row in rows if row.code == asked), None)
    daily = next((row for row in rows if row.horizon == "day_ahead"), rows[0] if rows else None)
    return rows, found if asked else daily


@require_safe
def market_index(request: HttpRequest) -> HttpResponseBase:
    """Show the index of a series of auctions, and how it is made."""

    def context() -> tuple[dict[str, Any], bool]:
        rows, series = series_of(request)
        if series is None:
            return {"all_series": rows}, not rows
        return {
            "all_series": rows,
            "series": series,
            "accelerators": accelerator_index(series.code),
            "classes": _named(class_index(series.code)),
            "query": f"?series={series.code}",
        }, True

    return kept_page(
        request,
        "exchange/market/index.html",
        title=_("Index"),
        asked=(request.GET.get("series", "")[:80],),
        context=context,
        live=True,
    )


def _named(table: IndexTable) -> IndexTable:
    columns = tuple(
        (code, str(CLASSES.get(code, WORDS.get(code, code)))) for code, _ in table.columns
    )
    return IndexTable(columns, table.points)
