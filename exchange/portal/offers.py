"""A provider's offers, to read."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of
from exchange.models import Offer, OfferFill
from exchange.models.offers import OFFER_STATES_LIVE
from exchange.portal.bulk_forms import BulkForm
from exchange.portal.doors import may_write, provider_reads
from exchange.portal.offer_filters import OfferFilter


def own_offers(request: HttpRequest) -> QuerySet[Offer]:
    """Return the offers of the member's organization with their terms, the newest first."""
    caller = caller_of(request)
    own = Offer.objects.visible_to(caller).of_sites().filter(provider_id=caller.organization_id)
    return own.with_terms().order_by("-pk")


@require_safe
@provider_reads
def offer_list(request: HttpRequest) -> HttpResponse:
    """List the offers, a page at a time."""
    return list_page(request, bulk_form=BulkForm())


def list_page(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    """Show the list that the filters leave, with the form that changes many offers at once."""
    chosen = OfferFilter(request.GET, queryset=own_offers(request), request=request)
    page = Page(chosen.qs, number=page_number(request))
    context = {"page": page, "filter_form": chosen.form, "may_write": may_write(request)}
    return render(request, "exchange/offer_list.html", context | more, status=status)


@require_safe
@provider_reads
def offer_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one offer: its terms, what it sold, and its versions."""
    offer = get_object_or_404(own_offers(request), public_id=public_id)
    sold = OfferFill.objects.visible_to(caller_of(request)).filter(offer=offer)
    fills = Page(sold.select_related("auction").order_by("-starts_at"), number=page_number(request))
    return render(
        request,
        "exchange/offer_detail.html",
        {
            "offer": offer,
            "fills": fills,
            "versions": offer.versions.order_by("-number"),
            "live": OFFER_STATES_LIVE,
            "may_write": may_write(request),
        },
    )
