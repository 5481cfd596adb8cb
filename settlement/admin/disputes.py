"""Disputes: the operator calls for evidence and decides, each with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.models.callers import Caller
from accounts.web.admin_actions import ReasonForm, action_with_reason, export_csv
from accounts.web.admin_entering import EnteringAdmin
from exchange.foundation.market_time import market_now
from settlement.admin.inlines import ReadOnlyInline
from settlement.models import Dispute, DisputeEvidence, DisputeState
from settlement.queries.dues import MILLISECONDS_AN_HOUR
from settlement.services.disputes import call_for_evidence, rule_dispute


class RulingForm(ReasonForm):
    """Which dispute is upheld in part, and what counts as delivered."""

    field_order = ["dispute", "hours", "reason"]
    dispute = forms.ModelChoiceField(
        Dispute.objects.undecided(), label=gettext_lazy("Dispute"), to_field_name="public_id"
    )
    hours = forms.DecimalField(
        label=gettext_lazy("Accelerator-hours that count as delivered"),
        max_digits=15,
        decimal_places=6,
        min_value=0,
    )


class EvidenceInline(ReadOnlyInline, admin.TabularInline[DisputeEvidence, Dispute]):
    """What the meters said."""

    model = DisputeEvidence
    readonly_fields = [
        "party", "meter", "device", "seq", "starts_at", "ends_at", "accel_ms_total", "quality",
    ]  # fmt: skip
    exclude = ["boot_id", "energy_mj_total", "util_ppm"]


def _call(row: Dispute, reason: str, actor: Caller) -> None:
    call_for_evidence(row, actor=actor, reason=reason)


def _uphold(row: Dispute, reason: str, actor: Caller) -> None:
    rule_dispute(row, DisputeState.UPHELD, decision=reason, now=market_now(), actor=actor)


def _reject(row: Dispute, reason: str, actor: Caller) -> None:
    rule_dispute(row, DisputeState.REJECTED, decision=reason, now=market_now(), actor=actor)


@admin.register(Dispute)
class DisputeAdmin(EnteringAdmin, admin.ModelAdmin[Dispute]):
    """Who said that another amount was delivered, and what was decided."""

    entering_form = RulingForm
    entering_title = gettext_lazy("Uphold a dispute in part")
    list_display = ["public_id", "period", "opened_by", "state", "opened_at", "decided_at"]
    list_select_related = ["period", "opened_by"]
    list_filter = ["state"]
    search_fields = ["=public_id", "=period__contract__public_id"]
    date_hierarchy = "opened_at"
    inlines = [EvidenceInline]
    actions = (
        action_with_reason(_call, name="call", description=gettext_lazy("Call for evidence")),
        action_with_reason(_uphold, name="uphold", description=gettext_lazy("Uphold as claimed")),
        action_with_reason(_reject, name="reject", description=gettext_lazy("Reject")),
        export_csv,
    )

    def enter(self, said: dict[str, Any], actor: Caller) -> Dispute:
        """Rule what counts as delivered."""
        dispute: Dispute = said["dispute"]
        rule_dispute(
            dispute,
            DisputeState.PARTIAL,
            decision=said["reason"],
            ruled_ms=int(said["hours"] * MILLISECONDS_AN_HOUR),
            now=market_now(),
            actor=actor,
        )
        return dispute
