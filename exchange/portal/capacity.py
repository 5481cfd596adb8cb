"""What a provider's sites have, hour by hour of a day of the market."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.web.portal import caller_of
from exchange.models import Site, SiteCapacity
from exchange.portal.days import DayForm, day_of_market, today
from exchange.portal.doors import provider_reads
from exchange.portal.offer_filters import own_sites
from exchange.queries.capacity_boards import capacity_boards


class SiteDayForm(DayForm):
    """Which site and which day."""

    site = forms.ModelChoiceField(
        label=_("Site"),
        queryset=Site.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=None,
    )
    field_order = ("site", "day")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site = self.fields["site"]
        assert isinstance(site, forms.ModelChoiceField)
        site.queryset = own_sites(request)


@require_safe
@provider_reads
def capacity(request: HttpRequest) -> HttpResponse:
    """Show one site on one day; the first site today if nothing else was asked for."""
    first = own_sites(request).first()
    asked = {
        "site": request.GET.get("site") or (first and first.code),
        "day": request.GET.get("day") or today().isoformat(),
    }
    form = SiteDayForm(asked, request=request)
    boards = []
    if form.is_valid() and (site := form.cleaned_data["site"]):
        day = form.cleaned_data["day"]
        rows = SiteCapacity.objects.visible_to(caller_of(request)).filter(site=site)
        starts_at, hours = day_of_market(day)
        stand = rows.select_related("site", "accelerator")
        boards = capacity_boards(stand, starts_at, hours=hours)
    return render(request, "exchange/capacity.html", {"form": form, "boards": boards})
