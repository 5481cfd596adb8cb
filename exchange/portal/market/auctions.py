"""Every published auction with its certificate, and how anybody can check it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from exchange.foundation.market_time import market_now
from exchange.models import Auction, AuctionState
from exchange.portal.market.sights import result_or_404
from exchange.queries.archive_files import public_files
from exchange.queries.certificates import certificate_of
from exchange.queries.publications import book_opens_at


@require_safe
def market_auctions(request: HttpRequest) -> HttpResponse:
    """List auctions that are under way, published or voided, the latest gate first."""
    rows = Auction.objects.visible_to(None).exclude(state=AuctionState.SCHEDULED)
    named = rows.select_related("series", "result").order_by("-closes_at", "-pk")
    page = Page(named, number=page_number(request))
    return render(request, "exchange/market/auctions.html", {"page": page, "title": _("Auctions")})


@require_safe
def market_auction(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show what one auction proved, its files, and the commands that check it."""
    result = result_or_404(public_id)
    now = market_now()
    opens_at = book_opens_at(result.auction)
    return render(
        request,
        "exchange/market/auction.html",
        {
            "title": _("Certificate"),
            "result": result,
            "auction": result.auction,
            "certificate": certificate_of(result),
            "tables": ("prices", "flows", "links", "fills"),
            "files": public_files(result, now=now),
            "book_opens_at": opens_at,
            "book_is_open": now >= opens_at,
        },
    )
