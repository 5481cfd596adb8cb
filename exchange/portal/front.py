"""The front page, open to everybody, and the switch of colours."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from exchange.models import Auction
from exchange.queries.indices import latest_board

THEMES = ("light", "dark")
THEME_SECONDS = 365 * 24 * 3600
GATES = 3


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Say what the exchange is, when the next gates close, and what was paid last."""
    auctions = Auction.objects.visible_to(None)
    gates = auctions.taking_bids().select_related("series").order_by("closes_at")[:GATES]
    return render(request, "exchange/front.html", {"gates": gates, "board": latest_board()})


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember which colours the reader wants, and go back to the page they came from."""
    after = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(after, {request.get_host()}, request.is_secure()):
        after = "/"
    answer = HttpResponseRedirect(after)
    if request.POST.get("theme") in THEMES:
        answer.set_cookie(
            "theme", request.POST["theme"], THEME_SECONDS, samesite="Lax", httponly=True
        )
    return answer
