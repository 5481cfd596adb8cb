"""Money from the bank: one operator enters it on a form, another approves it in the list."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.models.callers import Caller
from accounts.web.admin_actions import (
    ReadOnlyAdmin,
    ReasonForm,
    action_with_reason,
    actor_of,
    export_csv,
)
from exchange.foundation.money import MICROS
from settlement.admin.showing import link, money
from settlement.models import Deposit
from settlement.services.deposit_approvals import (
    approve_deposit,
    enter_deposit,
    refuse_deposit,
    reverse_deposit,
)
from settlement.services.deposits import AMOUNT_MAX_MICROS, DepositDiffers


class DepositForm(ReasonForm):
    """Whose money, how much, by which reference of the bank, and why it is entered."""

    field_order = ["organization", "amount", "reference", "reason"]
    organization = forms.ModelChoiceField(
        Organization.objects.order_by("name", "pk"), label=gettext_lazy("Organization")
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
    entered = enter_deposit(
        asked["organization"].pk,
        amount_micros=int(asked["amount"] * MICROS),
        reference=asked["reference"],
        reason=asked["reason"],
        actor=actor_of(request),
    )
    done = _("%(amount)s for %(organization)s waits for somebody else to approve it.") % asked
    page.message_user(request, done, messages.SUCCESS)
    return redirect("admin:settlement_deposit_change", entered.pk)


def _approve(row: Deposit, reason: str, actor: Caller) -> None:
    approve_deposit(row, reason=reason, actor=actor)


def _refuse(row: Deposit, reason: str, actor: Caller) -> None:
    refuse_deposit(row, reason=reason, actor=actor)


def _reverse(row: Deposit, reason: str, actor: Caller) -> None:
    reverse_deposit(row, reason=reason, actor=actor)


@admin.register(Deposit)
class DepositAdmin(ReadOnlyAdmin, admin.ModelAdmin[Deposit]):
    """Money that came in, as it was entered, and who approved it."""

    list_display = [
        "public_id", "organization", "amount", "reference", "state", "entered_by", "entered_at",
        "decided_by", "decided_at",
    ]  # fmt: skip
    list_select_related = ["organization", "entered_by", "decided_by"]
    list_filter = ["state"]
    search_fields = ["=public_id", "=reference", "organization__name", "=organization__public_id"]
    date_hierarchy = "entered_at"
    exclude = ["amount_micros", "transfer"]
    readonly_fields = ["amount", "posted"]
    actions = (
        action_with_reason(_approve, name="approve", description=gettext_lazy("Approve and post")),
        action_with_reason(_refuse, name="refuse", description=gettext_lazy("Refuse")),
        action_with_reason(
            _reverse, name="reverse", description=gettext_lazy("Reverse a posted mistake")
        ),
        export_csv,
    )

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, deposit: Deposit) -> str:
        """Show how much came in."""
        return money(deposit.amount_micros)

    @admin.display(description="transfer")
    def posted(self, deposit: Deposit) -> SafeString | str:
        """Lead to the transfer that credited it."""
        return link(deposit.transfer)
