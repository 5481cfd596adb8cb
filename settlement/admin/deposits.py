"""The operator's form for money that came in from the bank."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.web.admin_actions import ReasonForm, actor_of
from exchange.foundation.money import MICROS
from settlement.services.deposits import AMOUNT_MAX_MICROS, DepositDiffers, deposit


class DepositForm(ReasonForm):
    """Whose money, how much, by which reference of the bank, and why it is entered."""

    field_order = ["organization", "amount", "reference", "reason"]
    organization = forms.ModelChoiceField(
        Organization.objects.filter(buys=True), label=gettext_lazy("Organization")
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        max_digits=18,
        decimal_places=6,
        min_value=Decimal(1) / MICROS,
        max_value=Decimal(AMOUNT_MAX_MICROS) / MICROS,
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference of the bank"),
        max_length=64,
        help_text=gettext_lazy("The same reference again changes nothing."),
    )


def deposit_view(page: Any, request: HttpRequest) -> HttpResponse:
    """Ask for a deposit, enter it through the service, and show its transfer."""
    if not page.has_operate_permission(request):
        raise PermissionDenied
    form = DepositForm(request.POST or None)
    if form.is_valid():
        try:
            return _enter(page, request, form.cleaned_data)
        except DepositDiffers:
            form.add_error("reference", _("This reference was used for another deposit."))
    context = {
        **page.admin_site.each_context(request),
        "title": _("Enter a deposit"),
        "opts": page.model._meta,
        "form": form,
    }
    return TemplateResponse(request, "admin/settlement/deposit.html", context)


def _enter(page: Any, request: HttpRequest, asked: dict[str, Any]) -> HttpResponse:
    transfer = deposit(
        asked["organization"].pk,
        amount_micros=int(asked["amount"] * MICROS),
        reason=asked["reason"],
        actor=actor_of(request),
        key=asked["reference"],
    )
    done = _("%(organization)s was credited with %(amount)s.") % asked
    page.message_user(request, done, messages.SUCCESS)
    return redirect("admin:settlement_transfer_change", transfer.pk)
