"""An organization's meters and devices: every member sees them, owners and traders enrol them."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role, Scope
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from exchange.foundation.market_time import market_now
from settlement.models import Device, Meter, Party
from settlement.portal.handover_forms import DevicesForm, MeterForm
from settlement.portal.refusals import REFUSALS, carry_out, words_of
from settlement.queries.meter_health import health_of
from settlement.services import handover

TRADERS = [Role.OWNER, Role.TRADER]
trader_required = member_required(roles=TRADERS)


@require_safe
@member_required()
def equipment(request: HttpRequest) -> HttpResponse:
    """List meters and devices, with forms for new ones."""
    return _page(request)


@require_POST
@trader_required
@never_cache
@sensitive_variables("token")
def meter_new(request: HttpRequest) -> HttpResponse:
    """Enrol a meter. Context, once, in the answer: ``meter``, ``token``."""
    caller = caller_of(request)
    form = MeterForm(request.POST, caller=caller)
    if form.is_valid():
        party = Party(form.cleaned_data["party"])
        try:
            meter, token = handover.add_meter(
                party=party, site_code=form.cleaned_data["site"].strip(), actor=caller
            )
        except REFUSALS as refused:
            form.add_error(None, words_of(refused))
        else:
            context = {"meter": meter, "token": token}
            return render(request, "settlement/meter_shown.html", context, status=201)
    return _page(request, meter_form=form, status=422)


@require_POST
@trader_required
def meter_revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    """End a meter."""
    caller = caller_of(request)
    own = Meter.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    meter = get_object_or_404(own, public_id=public_id)
    handover.end_meter(meter, reason="", actor=caller)
    messages.success(request, _("The meter is revoked."))
    return redirect("equipment")


@require_POST
@member_required(kind="provides", roles=TRADERS)
def device_new(request: HttpRequest) -> HttpResponse:
    """Enrol devices."""
    caller = caller_of(request)
    form = DevicesForm(request.POST)
    if not form.is_valid() or not carry_out(
        form, partial(handover.add_devices, form.machines(), actor=caller)
    ):
        return _page(request, device_form=form, status=422)
    count = len(form.cleaned_data["serials"])
    said = ngettext("%(count)s device is enrolled.", "%(count)s devices are enrolled.", count)
    messages.success(request, said % {"count": count})
    return redirect("equipment")


@require_POST
@member_required(kind="provides", roles=TRADERS)
def device_revoke(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take a device out of service."""
    caller = caller_of(request)
    own = Device.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    device = get_object_or_404(own, public_id=public_id)
    handover.end_device(device, reason="", actor=caller)
    messages.success(request, _("The device is out of service."))
    return redirect("equipment")


def _page(
    request: HttpRequest,
    *,
    meter_form: MeterForm | None = None,
    device_form: DevicesForm | None = None,
    status: int = 200,
) -> HttpResponse:
    caller = caller_of(request)
    mine = {"organization_id": caller.organization_id}
    devices = Page(Device.objects.visible_to(caller).filter(**mine), number=page_number(request))
    health = health_of([device.pk for device in devices.rows], market_now())
    context = {
        "meters": Meter.objects.visible_to(caller).filter(**mine)[: handover.METERS_MAX],
        "page": devices,
        "devices": [(device, health[device.pk]) for device in devices.rows],
        "meter_form": meter_form or MeterForm(caller=caller, auto_id="meter_%s"),
        "device_form": device_form or DevicesForm(auto_id="device_%s"),
        "may_write": caller.has_scope(Scope.METERS_WRITE),
    }
    return render(request, "settlement/equipment.html", context, status=status)
