"""Halts and limits by four eyes: what is on, what waits for a second operator, what was decided."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Caller, Organization, Scope
from accounts.web.form_fields import ScaledField
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of
from exchange.foundation.money import LOTS, MICROS, TICKS
from exchange.models import Accelerator, AuctionSeries, MarketFreeze, Measure, MeasureState, Region
from exchange.models.columns import REASON_LENGTH_MAX
from exchange.portal.control.deeds import done
from exchange.portal.control.doors import control_approves, control_reads, control_writes
from exchange.portal.market.sights import region_names
from exchange.queries.halts import live_halts
from exchange.services.measures import (
    approve_measure,
    ask_halt,
    ask_position_limit,
    ask_price_cap,
    ask_resume,
    measure_of,
    refuse_measure,
)

HOUR_MINUTES = 60


class WhyForm(forms.Form):
    """Why it is asked for or decided."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=REASON_LENGTH_MAX)


class HaltForm(WhyForm):
    """What to halt: the market, or one part of it."""

    field_order = ["scope", "reason"]
    scope = forms.ChoiceField(label=gettext_lazy("What to halt"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope, names = self.fields["scope"], region_names()
        assert isinstance(scope, forms.ChoiceField)
        series = AuctionSeries.objects.order_by("code")
        chips = Accelerator.objects.filter(tradable=True).order_by("code")
        scope.choices = [
            ("market", _("the whole market")),
            (_("A series of auctions"), [(f"series {row.code}", row.name) for row in series]),
            (_("A region"), [(f"region {code}", name) for code, name in sorted(names.items())]),
            (_("An accelerator"), [(f"accelerator {row.code}", row.name) for row in chips]),
        ]

    def ask(self, actor: Caller) -> Measure:
        """Ask for the halt."""
        what, _space, code = self.cleaned_data["scope"].partition(" ")
        return ask_halt(
            reason=self.cleaned_data["reason"],
            actor=actor,
            series=AuctionSeries.objects.get(code=code) if what == "series" else None,
            region=Region.objects.get(code=code) if what == "region" else None,
            accelerator=Accelerator.objects.get(code=code) if what == "accelerator" else None,
        )


class PriceCapForm(WhyForm):
    """The highest price of a series of auctions."""

    field_order = ["series", "cap", "reason"]
    series = forms.ModelChoiceField(
        AuctionSeries.objects.order_by("code"),
        label=gettext_lazy("Series of auctions"),
        to_field_name="code",
        empty_label=None,
    )
    cap = ScaledField(label=gettext_lazy("Price cap per accelerator-hour"), scale=TICKS, least=1)

    def ask(self, actor: Caller) -> Measure:
        """Ask for the cap."""
        said = self.cleaned_data
        return ask_price_cap(
            said["series"], price_cap_ticks=said["cap"], reason=said["reason"], actor=actor
        )


class PositionForm(WhyForm):
    """How much an organization may bid for in one auction."""

    field_order = ["organization", "hours", "amount", "reason"]
    organization = forms.ModelChoiceField(
        Organization.objects.filter(buys=True).order_by("name"),
        label=gettext_lazy("Organization"),
        to_field_name="public_id",
        empty_label=None,
    )
    hours = ScaledField(
        label=gettext_lazy("Accelerator-hours in one auction"),
        scale=LOTS,
        least=0,
        required=False,
        help_text=gettext_lazy("Empty: not bounded."),
    )
    amount = ScaledField(
        label=gettext_lazy("Money at risk in one auction"),
        scale=MICROS,
        least=0,
        required=False,
        help_text=gettext_lazy("Empty: not bounded."),
    )

    def ask(self, actor: Caller) -> Measure:
        """Ask for the limit."""
        said = self.cleaned_data
        hours = said["hours"]
        return ask_position_limit(
            said["organization"],
            lot_minutes_max=None if hours is None else hours * HOUR_MINUTES,
            cost_micros_max=said["amount"],
            reason=said["reason"],
            actor=actor,
        )


FORMS: dict[str, type[HaltForm | PriceCapForm | PositionForm]] = {
    "halt": HaltForm,
    "price-cap": PriceCapForm,
    "position-limit": PositionForm,
}


@require_safe
@control_reads
def control_measures(request: HttpRequest) -> HttpResponse:
    """Show live halts, measures that wait, and those that were decided."""
    return _page(request)


@require_POST
@control_writes
def measure_ask(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask for a halt or a limit."""
    if kind not in FORMS:
        raise Http404
    form = FORMS[kind](request.POST, prefix=kind)
    if form.is_valid() and done(request, lambda: form.ask(caller_of(request))):
        messages.success(request, _("Another operator has to approve it now."))
        return redirect("control_measures")
    return _page(request, bound={kind: form}, status=422)


@require_POST
@control_writes
def halt_resume(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for a halt to be lifted."""
    halt = get_object_or_404(MarketFreeze.objects.visible_to(caller_of(request)), pk=number)
    form = WhyForm(request.POST)
    if form.is_valid():
        reason, actor = form.cleaned_data["reason"], caller_of(request)
        if done(request, lambda: ask_resume(halt, reason=reason, actor=actor)):
            messages.success(request, _("Another operator has to approve it now."))
    else:
        messages.error(request, _("A reason is needed."))
    return redirect("control_measures")


@require_POST
@control_approves
def measure_approve(request: HttpRequest, public_id: str) -> HttpResponse:
    """Do what another operator asked for."""
    return _decide(request, public_id, approve_measure, _("It is done."))


@require_POST
@control_writes
def measure_refuse(request: HttpRequest, public_id: str) -> HttpResponse:
    """End what was asked for."""
    return _decide(request, public_id, refuse_measure, _("It is refused."))


def _decide(
    request: HttpRequest, public_id: str, step: Callable[..., None], said: str
) -> HttpResponse:
    actor = caller_of(request)
    shown = Measure.objects.visible_to(actor)
    get_object_or_404(shown, public_id=public_id)
    measure, form = measure_of(public_id, caller=actor), WhyForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if done(request, lambda: step(measure, reason=reason, actor=actor)):
            messages.success(request, said)
    else:
        messages.error(request, _("A reason is needed."))
    return redirect("control_measures")


def _page(
    request: HttpRequest, *, bound: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    caller = caller_of(request)
    rows = Measure.objects.visible_to(caller).select_related(
        "series", "region", "accelerator", "organization", "asked_by", "decided_by"
    )
    decided = rows.exclude(state=MeasureState.ASKED)
    shown = {
        "halts": live_halts(),
        "waiting": rows.filter(state=MeasureState.ASKED),
        "page": Page(decided, number=page_number(request)),
        "forms": {
            kind.replace("-", "_"): (bound or {}).get(kind) or form(prefix=kind)
            for kind, form in FORMS.items()
        },
        "may_ask": caller.has_scope(Scope.MEASURES_WRITE),
        "may_approve": caller.has_scope(Scope.MEASURES_APPROVE),
        "names": region_names(),
    }
    return render(request, "exchange/control/measures.html", shown, status=status)
