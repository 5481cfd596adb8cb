"""A party objects to what was settled for an hour, and sees both meters' series."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Scope
from accounts.web.form_fields import ScaledField
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from accounts.web.zones import instant_words
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS
from settlement.models import Contract, DeliveryPeriod, PeriodState
from settlement.portal.contracts import own_contract, trader_required
from settlement.portal.refusals import REFUSALS, carry_out, words_of
from settlement.queries.disputes import disputes_shown
from settlement.queries.dues import MILLISECONDS_AN_HOUR
from settlement.services.disputes import open_dispute, withdraw_dispute

READINGS = 50
HOURS_MAX = 10**9


class PeriodField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of DeliveryPeriod
    """Hours that can be disputed."""

    def label_from_instance(self, period: Any) -> str:
        """Show when the hour begins."""
        return instant_words(period.starts_at)


class DisputeForm(forms.Form):
    """Which hour, what was delivered instead, and why that is so."""

    period = PeriodField(label=gettext_lazy("From"), queryset=DeliveryPeriod.objects.none())
    claimed = ScaledField(
        label=gettext_lazy("Accelerator-hours that were delivered"),
        scale=LOTS,
        help_text=gettext_lazy("What you say should be settled."),
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=200)

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["period"]
        assert isinstance(field, PeriodField)
        field.queryset = contract.periods.filter(state=PeriodState.PROVISIONAL).order_by(
            "starts_at"
        )

    def claimed_ms(self) -> int:
        """Return the figure in accelerator-milliseconds."""
        hours: int = self.cleaned_data["claimed"]
        return min(hours, HOURS_MAX) * MILLISECONDS_AN_HOUR // LOTS


@require_http_methods(["GET", "HEAD", "POST"])
@trader_required
def dispute_new(request: HttpRequest, public_id: str) -> HttpResponse:
    """Ask what is wrong with an hour, and open the dispute."""
    contract = own_contract(request, public_id)
    sent = request.POST if request.method == "POST" else None
    form = DisputeForm(sent, contract=contract, initial={"period": request.GET.get("period")})
    if sent is not None and form.is_valid():
        deed: Any = partial(
            open_dispute,
            form.cleaned_data["period"],
            claimed_ms=form.claimed_ms(),
            reason=form.cleaned_data["reason"],
            now=market_now(),
            actor=caller_of(request),
        )
        if carry_out(form, deed):
            messages.success(request, _("The dispute is open. Nothing is final before it ends."))
            return redirect("contract_detail", public_id)
    status = 200 if sent is None else 422
    context = {"form": form, "contract": contract}
    return render(request, "settlement/dispute_form.html", context, status=status)


@require_safe
@member_required()
def dispute_list(request: HttpRequest) -> HttpResponse:
    """List the disputes about the caller's contracts, the newest first."""
    page = Page(disputes_shown(caller_of(request)).order_by("-pk"), number=page_number(request))
    return render(request, "settlement/dispute_list.html", {"page": page})


@require_safe
@member_required()
def dispute_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one dispute with both meters' series."""
    caller = caller_of(request)
    dispute = get_object_or_404(disputes_shown(caller), public_id=public_id)
    rows = dispute.evidence.select_related("meter", "device").order_by("ends_at", "id")
    context = {
        "dispute": dispute,
        "page": Page(rows, number=page_number(request), size=READINGS),
        "may_withdraw": dispute.decided_at is None
        and dispute.opened_by_id == caller.organization_id
        and caller.has_scope(Scope.CONTRACTS_WRITE),
    }
    return render(request, "settlement/dispute_detail.html", context)


@require_POST
@trader_required
def dispute_withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take one's own dispute back."""
    caller = caller_of(request)
    own = disputes_shown(caller).filter(opened_by_id=caller.organization_id)
    dispute = get_object_or_404(own, public_id=public_id)
    try:
        withdraw_dispute(dispute, now=market_now(), actor=caller)
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, _("The dispute is withdrawn."))
    return redirect("dispute_detail", public_id)
