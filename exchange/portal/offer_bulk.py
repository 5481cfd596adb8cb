"""A provider changes many offers at once: all of those that are chosen, or none."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.web.portal import caller_of
from exchange.models.offers import OFFER_STATES_LIVE
from exchange.portal.bulk_forms import BulkForm
from exchange.portal.doors import provider_writes, read_or_send
from exchange.portal.offer_filters import OfferFilter
from exchange.portal.offers import list_page, own_offers
from exchange.portal.refusals import detail_for_reader, words_of, words_of_refusal
from exchange.services.gates import MarketFrozen
from exchange.services.offer_bulk import (
    OFFERS_MAX,
    BulkFault,
    OffersNotChanged,
    change_offers,
)


@read_or_send
@provider_writes
def offer_bulk(request: HttpRequest) -> HttpResponse:
    """Change the chosen offers; a refusal shows the list again with what stands in the way."""
    if request.method != "POST":
        return redirect(f"{reverse('offer_list')}?{request.GET.urlencode()}")
    form, chosen = BulkForm(request.POST), _chosen(request)
    faults: list[tuple[Any, str]] = []
    if not chosen:
        form.add_error(None, _("Choose at least one offer."))
    elif len(chosen) > OFFERS_MAX:
        said = _("At most %(most)s offers are changed at once. Filter the list.")
        form.add_error(None, said % {"most": OFFERS_MAX})
    elif form.is_valid():
        faults = _change(request, form, chosen)
        if not faults and not form.errors:
            return redirect(f"{reverse('offer_list')}?{request.GET.urlencode()}")
    shown = {"bulk_form": form, "faults": faults, "chosen": chosen}
    return list_page(request, status=422, **shown)


def _chosen(request: HttpRequest) -> list[str]:
    """Return the own ids that were ticked, or those of all live offers that the filter leaves."""
    own = own_offers(request)
    if "all" not in request.POST:
        ticked = own.filter(public_id__in=request.POST.getlist("offer"))
        return list(ticked.values_list("public_id", flat=True)[: OFFERS_MAX + 1])
    filtered = OfferFilter(request.GET, queryset=own, request=request).qs
    live = filtered.filter(state__in=OFFER_STATES_LIVE)
    return list(live.values_list("public_id", flat=True)[: OFFERS_MAX + 1])


def _change(request: HttpRequest, form: BulkForm, chosen: list[str]) -> list[tuple[Any, str]]:
    try:
        changed = change_offers(chosen, form.change(), caller=caller_of(request))
    except OffersNotChanged as refused:
        form.add_error(None, _("Nothing was changed, for the offers below stand in the way."))
        return [(fault.offer, _words(fault)) for fault in refused.faults]
    except MarketFrozen as frozen:
        form.add_error(None, words_of_refusal(frozen))
        return []
    said = ngettext("%(changed)s offer is changed.", "%(changed)s offers are changed.", changed)
    messages.success(request, said % {"changed": changed})
    return []


def _words(fault: BulkFault) -> str:
    """Say why an offer could not be changed: each of its faults, or the fact as a whole."""
    errors = getattr(fault.refusal, "errors", ())
    parts = [
        f"{words_of(error['code'], error['detail'])} {detail_for_reader(error['detail'])}".strip()
        for error in errors
    ]
    return " ".join(parts) or words_of_refusal(fault.refusal)
