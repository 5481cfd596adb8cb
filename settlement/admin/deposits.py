"""Money from the bank: one operator enters it on a form, another approves it in the list."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.models.callers import Caller
from accounts.web.admin_actions import ReasonForm, action_with_reason, export_csv
from accounts.web.admin_entering import EnteringAdmin
from exchange.foundation.money import MICROS
from settlement.admin.showing import link, money
from settlement.models import Deposit
from settlement.services.deposit_approvals import (
    approve_deposit,
    enter_deposit,
    refuse_deposit,
    reverse_deposit,
)
from settlement.services.deposits import AMOUNT_MAX_MICROS


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


def _approve(row: Deposit, reason: str, actor: Caller) -> None:
    approve_deposit(row, reason=reason, actor=actor)


def _refuse(row: Deposit, reason: str, actor: Caller) -> None:
    refuse_deposit(row, reason=reason, actor=actor)


def _reverse(row: Deposit, reason: str, actor: Caller) -> None:
    reverse_deposit(row, reason=reason, actor=actor)


@admin.register(Deposit)
class DepositAdmin(EnteringAdmin, admin.ModelAdmin[Deposit]):
    """Money that came in, as it was entered, and who approved it."""

    entering_form = DepositForm
    entering_title = gettext_lazy("Enter a deposit")
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

    def enter(self, said: dict[str, Any], actor: Caller) -> Deposit:
        """Write the deposit down; it waits for somebody else to approve it."""
        return enter_deposit(
            said["organization"].pk,
            amount_micros=int(said["amount"] * MICROS),
            reference=said["reference"],
            reason=said["reason"],
            actor=actor,
        )

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, deposit: Deposit) -> str:
        """Show how much came in."""
        return money(deposit.amount_micros)

    @admin.display(description="transfer")
    def posted(self, deposit: Deposit) -> SafeString | str:
        """Lead to the transfer that credited it."""
        return link(deposit.transfer)
