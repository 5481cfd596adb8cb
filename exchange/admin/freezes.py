"""Halts and the measures of operators: asked for on a form, approved by another in the list."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.utils.translation import gettext_lazy

from accounts.models import Caller
from accounts.web.admin_actions import ReasonForm, action_with_reason, export_csv
from accounts.web.admin_entering import EnteringAdmin
from exchange.foundation.money import TICKS
from exchange.models import Accelerator, AuctionSeries, MarketFreeze, Measure, Region
from exchange.services.measures import (
    approve_measure,
    ask_halt,
    ask_price_cap,
    ask_resume,
    refuse_measure,
)


class HaltForm(ReasonForm):
    """What to halt: the whole market unless one part of it is chosen."""

    field_order = ["series", "region", "accelerator", "reason"]
    series = forms.ModelChoiceField(
        AuctionSeries.objects.all(), label=gettext_lazy("Series of auctions"), required=False
    )
    region = forms.ModelChoiceField(
        Region.objects.all(), label=gettext_lazy("Region"), required=False
    )
    accelerator = forms.ModelChoiceField(
        Accelerator.objects.filter(tradable=True), label=gettext_lazy("Accelerator"), required=False
    )


class PriceCapForm(ReasonForm):
    """The highest price of a series' auctions that are not announced yet."""

    field_order = ["series", "cap", "reason"]
    series = forms.ModelChoiceField(
        AuctionSeries.objects.all(), label=gettext_lazy("Series of auctions")
    )
    cap = forms.DecimalField(
        label=gettext_lazy("Price cap per accelerator-hour"),
        max_digits=15,
        decimal_places=3,
        min_value=0,
    )


def _ask_resume(freeze: MarketFreeze, reason: str, actor: Caller) -> None:
    ask_resume(freeze, reason=reason, actor=actor)


def _approve(measure: Measure, reason: str, actor: Caller) -> None:
    approve_measure(measure, reason=reason, actor=actor)


def _refuse(measure: Measure, reason: str, actor: Caller) -> None:
    refuse_measure(measure, reason=reason, actor=actor)


@admin.register(MarketFreeze)
class MarketFreezeAdmin(EnteringAdmin, admin.ModelAdmin[MarketFreeze]):
    """Halts. The button asks for a new one, the action for the end of one; others approve."""

    entering_form = HaltForm
    entering_title = gettext_lazy("Ask for a halt")
    list_display = [
        "frozen_at", "scope", "part", "actor", "reason", "lifted_at", "lifted_by",
    ]  # fmt: skip
    list_select_related = ["series", "region", "accelerator"]
    list_filter = ["lifted_at"]
    search_fields = ["reason", "actor"]
    date_hierarchy = "frozen_at"
    actions = [
        export_csv,
        action_with_reason(
            _ask_resume, name="lift", description=gettext_lazy("Ask for the halt to be lifted")
        ),
    ]

    def enter(self, said: dict[str, Any], actor: Caller) -> models.Model:
        """Ask for the halt; it waits for somebody else to approve it."""
        return ask_halt(
            series=said["series"],
            region=said["region"],
            accelerator=said["accelerator"],
            reason=said["reason"],
            actor=actor,
        )


@admin.register(Measure)
class MeasureAdmin(EnteringAdmin, admin.ModelAdmin[Measure]):
    """What operators asked for, and who approved it. The button asks for a price cap."""

    entering_form = PriceCapForm
    entering_title = gettext_lazy("Ask for a price cap")
    list_display = [
        "public_id", "kind", "state", "scope", "part", "organization", "asked_by", "asked_at",
        "decided_by", "decided_at",
    ]  # fmt: skip
    list_select_related = [
        "series", "region", "accelerator", "organization", "asked_by", "decided_by",
    ]  # fmt: skip
    list_filter = ["state", "kind"]
    search_fields = ["=public_id", "reason", "decision"]
    date_hierarchy = "asked_at"
    actions = [
        action_with_reason(
            _approve, name="approve", description=gettext_lazy("Approve what another asked for")
        ),
        action_with_reason(_refuse, name="refuse", description=gettext_lazy("Refuse")),
        export_csv,
    ]

    def enter(self, said: dict[str, Any], actor: Caller) -> models.Model:
        """Ask for the cap."""
        return ask_price_cap(
            said["series"],
            price_cap_ticks=int(said["cap"] * TICKS),
            reason=said["reason"],
            actor=actor,
        )
