"""Position limits: one operator asks for them with a reason, another approves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.utils.translation import gettext_lazy

from accounts.models import Caller, Organization
from accounts.web.admin_actions import ReasonForm
from accounts.web.admin_entering import EnteringAdmin
from exchange.foundation.money import LOTS, MICROS
from exchange.models import PositionLimit
from exchange.services.measures import ask_position_limit

HOUR_MINUTES = 60


class LimitForm(ReasonForm):
    """Whom it binds, and how far; what is left empty is not bounded."""

    field_order = ["organization", "hours", "amount", "reason"]
    organization = forms.ModelChoiceField(
        Organization.objects.filter(buys=True), label=gettext_lazy("Organization")
    )
    hours = forms.DecimalField(
        label=gettext_lazy("Accelerator-hours in one auction"),
        max_digits=12,
        decimal_places=3,
        min_value=0,
        required=False,
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Money at risk in one auction"),
        max_digits=18,
        decimal_places=6,
        min_value=0,
        max_value=10**9,
        required=False,
    )


@admin.register(PositionLimit)
class PositionLimitAdmin(EnteringAdmin, admin.ModelAdmin[PositionLimit]):
    """How large a position each organization may take in one auction."""

    entering_form = LimitForm
    entering_title = gettext_lazy("Ask for a position limit")
    list_display = ["organization", "lot_minutes_max", "cost_micros_max", "reason", "set_at"]
    list_select_related = ["organization"]
    search_fields = ["organization__name", "=organization__public_id", "reason"]
    date_hierarchy = "set_at"

    def enter(self, said: dict[str, Any], actor: Caller) -> models.Model:
        """Ask for the limit; it waits among the measures for somebody else to approve it."""
        hours, amount = said["hours"], said["amount"]
        return ask_position_limit(
            said["organization"],
            lot_minutes_max=None if hours is None else int(hours * LOTS * HOUR_MINUTES),
            cost_micros_max=None if amount is None else int(amount * MICROS),
            reason=said["reason"],
            actor=actor,
        )
