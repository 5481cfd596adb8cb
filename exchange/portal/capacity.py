"""What a provider's sites have, hour by hour of a day of the market."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.web.portal import caller_of
from accounts.web.showing import market_zone_info
from exchange.foundation.market_time import market_now
from exchange.models import Site, SiteCapacity
from exchange.portal.doors import provider_reads
from exchange.portal.offer_filters import own_sites
from exchange.queries.capacity_boards import capacity_boards

HOUR = timedelta(hours=1)
YEARS = range(2000, 2200)


class DayForm(forms.Form):
    """Which site and which day."""

    site = forms.ModelChoiceField(
        label=_("Site"),
        queryset=Site.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=None,
    )
    day = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site = self.fields["site"]
        assert isinstance(site, forms.ModelChoiceField)
        site.queryset = own_sites(request)

    def clean_day(self) -> date | None:
        """Refuse days that no calendar of ours reaches."""
        day: date | None = self.cleaned_data["day"]
        if day and day.year not in YEARS:
            raise forms.ValidationError(_("This day is out of reach."), code="day_out_of_reach")
        return day


@require_safe
@provider_reads
def capacity(request: HttpRequest) -> HttpResponse:
    """Show one site on one day; the first site today if nothing else was asked for."""
    today = market_now().astimezone(market_zone_info()).date()
    first = own_sites(request).first()
    asked = {
        "site": request.GET.get("site") or (first and first.code),
        "day": request.GET.get("day") or today.isoformat(),
    }
    form = DayForm(asked, request=request)
    boards = []
    if form.is_valid() and (site := form.cleaned_data["site"]):
        day = form.cleaned_data["day"]
        rows = SiteCapacity.objects.visible_to(caller_of(request)).filter(site=site)
        starts_at, hours = day_of_market(day)
        stand = rows.select_related("site", "accelerator")
        boards = capacity_boards(stand, starts_at, hours=hours)
    return render(request, "exchange/capacity.html", {"form": form, "boards": boards})


def day_of_market(day: date) -> tuple[datetime, int]:
    """Return when a local day begins, in UTC, and its hours: 23, 24 or 25."""
    zone = market_zone_info()
    first, after = (
        datetime.combine(day + timedelta(days=more), time(), zone).astimezone(UTC)
        for more in (0, 1)
    )
    return first, (after - first) // HOUR
