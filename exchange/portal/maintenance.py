"""When a provider's accelerators are down: announced, listed, called off."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.web.form_fields import InstantField, ScaledField
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, format_scaled
from exchange.models import Accelerator, MaintenanceWindow, Site
from exchange.portal.doors import may_write, provider_reads, provider_writes, read_or_send, sent
from exchange.portal.offer_filters import own_accelerators, own_sites
from exchange.portal.refusals import REFUSALS, carry_out, words_of_refusal
from exchange.services.maintenance import call_off_maintenance, plan_maintenance

REASON_LENGTH_MAX = 64


class MaintenanceForm(forms.Form):
    """What goes down, when, and why."""

    site = forms.ModelChoiceField(
        label=gettext_lazy("Site"), queryset=Site.objects.none(), to_field_name="code"
    )
    accelerator = forms.ModelChoiceField(
        label=gettext_lazy("Accelerator"),
        queryset=Accelerator.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("all of the site"),
    )
    quantity = ScaledField(
        label=gettext_lazy("How many of them"),
        scale=LOTS,
        least=1,
        required=False,
        help_text=gettext_lazy("Empty: all of them."),
    )
    starts_at = InstantField(label=gettext_lazy("From"))
    ends_at = InstantField(label=gettext_lazy("Until"))
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=REASON_LENGTH_MAX)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("site", own_sites), ("accelerator", own_accelerators)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows(request)

    def body(self) -> dict[str, Any]:
        """Return the window as the body of a request to the API says it."""
        checked = self.cleaned_data
        chip, lots = checked["accelerator"], checked["quantity"]
        return {
            "site": checked["site"].code,
            "accelerator": chip.code if chip else None,
            "quantity": format_scaled(lots, scale=LOTS) if lots else None,
            "starts_at": checked["starts_at"].isoformat(),
            "ends_at": checked["ends_at"].isoformat(),
            "reason": checked["reason"],
        }


@require_safe
@provider_reads
def maintenance_list(request: HttpRequest) -> HttpResponse:
    """List the windows of the provider's sites, the latest first."""
    windows = MaintenanceWindow.objects.visible_to(caller_of(request))
    own = windows.filter(site__in=own_sites(request)).order_by("-starts_at", "-pk")
    page = Page(own.select_related("site", "accelerator"), number=page_number(request))
    return render(
        request,
        "exchange/maintenance_list.html",
        {"page": page, "now": market_now(), "may_write": may_write(request)},
    )


@read_or_send
@provider_writes
def maintenance_new(request: HttpRequest) -> HttpResponse:
    """Ask for a window and announce it."""
    form = MaintenanceForm(sent(request), request=request)
    refused = request.method == "POST"
    if refused and form.is_valid():
        deed = partial(plan_maintenance, form.body(), caller=caller_of(request))
        if carry_out(form, deed):
            messages.success(request, _("The maintenance is announced."))
            return redirect("maintenance_list")
    status = 422 if refused else 200
    return render(request, "exchange/maintenance_form.html", {"form": form}, status=status)


@require_POST
@provider_writes
def maintenance_cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Call a window off."""
    windows = MaintenanceWindow.objects.visible_to(caller_of(request))
    get_object_or_404(windows.filter(site__in=own_sites(request)), public_id=public_id)
    try:
        call_off_maintenance(public_id, caller=caller_of(request))
    except REFUSALS as refused:
        messages.error(request, words_of_refusal(refused))
    else:
        messages.success(request, _("The maintenance is cancelled."))
    return redirect("maintenance_list")
