"""Credit lines, collateral and budgets: the operator sets the first two, each with a reason."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.models.callers import Caller
from accounts.web.admin_actions import ReadOnlyAdmin, ReasonForm
from accounts.web.admin_entering import EnteringAdmin
from exchange.foundation.money import MICROS
from settlement.admin.showing import link, money
from settlement.models import (
    BudgetAlert,
    Collateral,
    CollateralRate,
    CreditLine,
    LowMoney,
    Project,
)
from settlement.services.collateral import RATE_MAX_PPM, set_collateral_rate
from settlement.services.credit_lines import set_credit_line
from settlement.services.deposits import AMOUNT_MAX_MICROS


class CreditForm(ReasonForm):
    """How much an organization may spend beyond its money."""

    field_order = ["organization", "amount", "reason"]
    organization = forms.ModelChoiceField(
        Organization.objects.filter(buys=True), label=gettext_lazy("Organization")
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        max_digits=18,
        decimal_places=6,
        min_value=0,
        max_value=Decimal(AMOUNT_MAX_MICROS) / MICROS,
    )


@admin.register(CreditLine)
class CreditLineAdmin(EnteringAdmin, admin.ModelAdmin[CreditLine]):
    """What organizations may spend beyond what they have; the latest row of each stands."""

    entering_form = CreditForm
    entering_title = gettext_lazy("Set a credit line")
    list_display = ["set_at", "organization", "amount", "reason", "set_by"]
    list_select_related = ["organization", "set_by"]
    search_fields = ["organization__name", "=organization__public_id", "reason"]
    date_hierarchy = "set_at"
    exclude = ["amount_micros"]
    readonly_fields = ["amount"]

    def enter(self, said: dict[str, Any], actor: Caller) -> CreditLine:
        """Set the line."""
        return set_credit_line(
            said["organization"].pk,
            amount_micros=int(said["amount"] * MICROS),
            reason=said["reason"],
            actor=actor,
        )

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, line: CreditLine) -> str:
        """Show how much."""
        return money(line.amount_micros)


class RateForm(ReasonForm):
    """Which share of a contract's value a provider puts up."""

    field_order = ["organization", "percent", "reason"]
    organization = forms.ModelChoiceField(
        Organization.objects.filter(provides=True), label=gettext_lazy("Organization")
    )
    percent = forms.DecimalField(
        label=gettext_lazy("Per cent of what it earns"),
        max_digits=8,
        decimal_places=4,
        min_value=0,
        max_value=Decimal(RATE_MAX_PPM) / 10_000,
    )


@admin.register(CollateralRate)
class CollateralRateAdmin(EnteringAdmin, admin.ModelAdmin[CollateralRate]):
    """What providers put up against default; the latest row of each stands."""

    entering_form = RateForm
    entering_title = gettext_lazy("Set a rate of collateral")
    list_display = ["set_at", "organization", "rate_ppm", "reason", "set_by"]
    list_select_related = ["organization", "set_by"]
    search_fields = ["organization__name", "=organization__public_id", "reason"]
    date_hierarchy = "set_at"

    def enter(self, said: dict[str, Any], actor: Caller) -> CollateralRate:
        """Set the rate."""
        return set_collateral_rate(
            said["organization"].pk,
            rate_ppm=int(said["percent"] * 10_000),
            reason=said["reason"],
            actor=actor,
        )


@admin.register(Collateral)
class CollateralAdmin(ReadOnlyAdmin, admin.ModelAdmin[Collateral]):
    """What is put up for each contract; one without a hold is asked for and not covered yet."""

    list_display = ["contract", "provider", "required", "hold", "released_at"]
    list_select_related = ["contract", "provider", "hold"]
    list_filter = [("hold", admin.EmptyFieldListFilter), "released_at"]
    search_fields = ["=contract__public_id", "provider__name", "=provider__public_id"]
    exclude = ["required_micros"]
    readonly_fields = ["required", "hold_link"]

    @admin.display(description="required", ordering="required_micros")
    def required(self, collateral: Collateral) -> str:
        """Show how much is asked for."""
        return money(collateral.required_micros)

    @admin.display(description="hold")
    def hold_link(self, collateral: Collateral) -> SafeString | str:
        """Lead to the hold with its captures and releases."""
        return link(collateral.hold)


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin, admin.ModelAdmin[Project]):
    """Budgets of buyers' projects."""

    list_display = ["public_id", "organization", "name", "budget", "committed", "closed_at"]
    list_select_related = ["organization"]
    search_fields = ["=public_id", "=name", "organization__name", "=organization__public_id"]
    date_hierarchy = "created_at"

    @admin.display(description="budget", ordering="budget_micros")
    def budget(self, project: Project) -> str:
        """Show the budget."""
        return money(project.budget_micros)

    @admin.display(description="committed", ordering="committed_micros")
    def committed(self, project: Project) -> str:
        """Show what holds have frozen or paid of it."""
        return money(project.committed_micros)


@admin.register(BudgetAlert)
class BudgetAlertAdmin(ReadOnlyAdmin, admin.ModelAdmin[BudgetAlert]):
    """When budgets came near their end, and whether anybody was told."""

    list_display = ["raised_at", "project", "threshold_ppm", "budget_no", "notified_at"]
    list_select_related = ["project"]
    list_filter = ["threshold_ppm"]
    search_fields = ["=project__public_id", "=project__name"]
    date_hierarchy = "raised_at"


@admin.register(LowMoney)
class LowMoneyAdmin(ReadOnlyAdmin, admin.ModelAdmin[LowMoney]):
    """Who is told below how much free money, and who has been told."""

    list_display = ["organization", "mark", "low_since"]
    list_select_related = ["organization"]
    search_fields = ["=organization__public_id", "organization__name"]

    @admin.display(description="told below", ordering="mark_micros")
    def mark(self, row: LowMoney) -> str:
        """Show the mark that the organization set."""
        return "the house's" if row.mark_micros is None else money(row.mark_micros)
