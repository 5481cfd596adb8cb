"""What an organization has on its accounts, what moved last, and what it wants paid out."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role, Scope
from accounts.web.form_fields import ScaledField
from accounts.web.listing import Page, page_number
from accounts.web.once import do_once
from accounts.web.portal import caller_of, member_required
from exchange.foundation.money import MICROS
from settlement.models import AccountKind, Payout
from settlement.portal.refusals import REFUSALS, carry_out, words_of
from settlement.queries.balances import accounts_shown, recent_transfers
from settlement.services.money_alerts import mark_of, set_mark
from settlement.services.payouts import MINOR_MICROS, BankAccount, ask_payout, cancel_payout
from settlement.services.projects import BUDGET_MAX_MICROS

owner_required = member_required(roles=[Role.OWNER])
SOURCES = [
    (AccountKind.AVAILABLE.value, gettext_lazy("money to spend")),
    (AccountKind.PAYABLE.value, gettext_lazy("what is owed to you")),
]


class PayoutForm(forms.Form):
    """How much of which money goes to which bank account."""

    source = forms.ChoiceField(label=gettext_lazy("Out of"), choices=SOURCES)
    amount = ScaledField(label=gettext_lazy("Amount"), scale=MICROS, least=MINOR_MICROS)
    holder = forms.CharField(label=gettext_lazy("Holder of the bank account"), max_length=140)
    bank = forms.CharField(label=gettext_lazy("Bank"), max_length=140)
    account = forms.CharField(label=gettext_lazy("Account number"), max_length=64)


class MarkForm(forms.Form):
    """Below how much free money its members are told."""

    mark = ScaledField(label=gettext_lazy("Tell us when less than this is free"), scale=MICROS)

    def clean_mark(self) -> int:
        """Return the mark in micro-units, within what the books can count."""
        mark: int = self.cleaned_data["mark"]
        if mark > BUDGET_MAX_MICROS:
            raise forms.ValidationError(_("This is too large."))
        return mark


@require_safe
@member_required()
def money(request: HttpRequest) -> HttpResponse:
    """Show the balances, the last few transfers, and the payouts."""
    return _page(request, PayoutForm())


@require_POST
@owner_required
def payout_new(request: HttpRequest) -> HttpResponse:
    """Ask for a payout: the money is set aside until it is approved."""
    form = PayoutForm(request.POST)
    if form.is_valid() and carry_out(form, partial(_ask, form.cleaned_data, request)):
        messages.success(request, _("Asked for. The money is set aside until it is paid out."))
        return redirect("money")
    return _page(request, form, status=422)


@require_POST
@owner_required
def payout_cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take back a payout that was not submitted."""
    caller = caller_of(request)
    own = Payout.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    get_object_or_404(own, public_id=public_id)
    try:
        cancel_payout(public_id, caller=caller)
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, _("Cancelled. The money is back."))
    return redirect("money")


@require_POST
@owner_required
def money_mark(request: HttpRequest) -> HttpResponse:
    """Say below how much free money the organization wants to be told."""
    form = MarkForm(request.POST)
    if form.is_valid():
        set_mark(form.cleaned_data["mark"], actor=caller_of(request))
        messages.success(request, _("The mark is set."))
        return redirect("money")
    return _page(request, PayoutForm(), mark=form, status=422)


def _ask(said: dict[str, Any], request: HttpRequest) -> None:
    to = BankAccount(holder=said["holder"], bank=said["bank"], account=said["account"])
    source, caller = AccountKind(said["source"]), caller_of(request)
    do_once(
        request,
        lambda: (
            ask_payout(amount_micros=said["amount"], source=source, to=to, caller=caller).public_id
        ),
    )


def _page(
    request: HttpRequest, form: PayoutForm, *, mark: MarkForm | None = None, status: int = 200
) -> HttpResponse:
    caller = caller_of(request)
    payouts = Payout.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    context = {
        "accounts": accounts_shown(caller),
        "transfers": recent_transfers(caller),
        "page": Page(payouts, number=page_number(request), size=10),
        "form": form,
        "mark": mark or MarkForm(initial={"mark": mark_of(caller.organization_id)}),
        "may_write": caller.has_scope(Scope.PAYOUTS_WRITE),
    }
    return render(request, "settlement/money.html", context, status=status)
