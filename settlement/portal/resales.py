"""A buyer's resales: what it sells on, what it is offered, and how it takes that."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Caller, Scope
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from exchange.foundation.market_time import market_now
from settlement.models import Contract, Resale, ResaleState
from settlement.portal.contracts import trader_required
from settlement.portal.refusals import REFUSALS, carry_out, words_of
from settlement.portal.resale_forms import AcceptForm, FloorForm, NamedForm
from settlement.queries.contracts import contracts_shown
from settlement.queries.resales import resales_of, resales_shown
from settlement.queries.resold import Left, left_of
from settlement.services.resales import (
    accept_resale,
    decline_resale,
    open_resale,
    withdraw_resale,
)


@require_safe
@member_required()
def resale_list(request: HttpRequest) -> HttpResponse:
    """List what the organization sells on and what it is offered."""
    rows = resales_shown(caller_of(request)).order_by("-id")
    state = request.GET.get("state", "")
    if state in ResaleState.values:
        rows = rows.filter(state=state)
    context = {
        "page": Page(rows, number=page_number(request)),
        "state": state,
        "states": ResaleState.values,
    }
    return render(request, "settlement/resale_list.html", context)


@require_safe
@member_required()
def resale_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one resale, and what can be done with it."""
    resale = get_object_or_404(resales_shown(caller_of(request)), public_id=public_id)
    return _detail(request, resale)


@require_http_methods(["GET", "HEAD", "POST"])
@trader_required
def contract_resell(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show what is left of a contract, and put hours of it on sale."""
    contract = _bought(request, public_id)
    ahead = [each for each in left_of([contract.pk]) if each.starts_at > market_now()]
    sent = request.POST if request.method == "POST" else None
    at_auctions = sent is not None and "buyer" not in sent
    floor = FloorForm(sent if at_auctions else None, prefix="", auto_id="floor_%s")
    named = NamedForm(None if at_auctions else sent, ahead=ahead)
    form: FloorForm = floor if at_auctions else named
    if sent is not None and form.is_valid():
        terms = named.terms() if form is named else {"price_ticks": form.cleaned_data["price"]}
        deed = partial(open_resale, contract, actor=caller_of(request), **terms)
        if carry_out(form, deed):
            messages.success(request, _("The hours are on sale."))
            return redirect("contract_resell", public_id)
    context = _resell_context(request, contract, ahead) | {"floor": floor, "named": named}
    status = 200 if sent is None else 422
    return render(request, "settlement/resell.html", context, status=status)


@require_POST
@trader_required
def resale_accept(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take what is offered."""
    resale, caller = _offered(request, public_id), caller_of(request)
    form = AcceptForm(request.POST, organization_id=caller.organization_id)
    if form.is_valid():
        project = form.cleaned_data["project"]
        if carry_out(form, partial(accept_resale, resale, actor=caller, project=project)):
            messages.success(request, _("The hours are yours."))
            return redirect("contract_detail", resale.contracts.get().public_id)
    resale.refresh_from_db(fields=["state"])
    return _detail(request, resale, form=form, status=422)


@require_POST
@trader_required
def resale_decline(request: HttpRequest, public_id: str) -> HttpResponse:
    """Say no to what is offered."""
    resale = _offered(request, public_id)
    deed = partial(decline_resale, resale, actor=caller_of(request))
    return _done(request, resale, deed, _("Declined."))


@require_POST
@trader_required
def resale_withdraw(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take one's own hours off sale."""
    caller = caller_of(request)
    own = resales_shown(caller).filter(contract__buyer_id=caller.organization_id)
    resale = get_object_or_404(own, public_id=public_id)
    deed = partial(withdraw_resale, resale, actor=caller)
    return _done(request, resale, deed, _("The hours are off sale."))


def _done(request: HttpRequest, resale: Resale, deed: Any, said: str) -> HttpResponse:
    try:
        deed()
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, said)
    return redirect("resale_detail", resale.public_id)


def _detail(
    request: HttpRequest, resale: Resale, *, form: AcceptForm | None = None, status: int = 200
) -> HttpResponse:
    caller = caller_of(request)
    is_open = resale.state == ResaleState.OPEN and caller.has_scope(Scope.CONTRACTS_WRITE)
    context = {
        "resale": resale,
        "form": form or AcceptForm(organization_id=caller.organization_id),
        "made": resale.contracts.filter(pk__in=_contracts(caller)),
        "is_reseller": resale.contract.buyer_id == caller.organization_id,
        "may_take": is_open and resale.buyer_id == caller.organization_id,
        "may_withdraw": is_open and resale.contract.buyer_id == caller.organization_id,
    }
    return render(request, "settlement/resale_detail.html", context, status=status)


def _resell_context(
    request: HttpRequest, contract: Contract, ahead: list[Left]
) -> dict[str, object]:
    return {
        "contract": contract,
        "ahead": ahead,
        "is_free": any(each.free_lots for each in ahead),
        "resales": resales_of(contract, caller_of(request)),
    }


def _contracts(caller: Caller) -> Any:
    return Contract.objects.visible_to(caller).values("pk")


def _bought(request: HttpRequest, public_id: str) -> Contract:
    caller = caller_of(request)
    bought = contracts_shown(caller).filter(buyer_id=caller.organization_id)
    return get_object_or_404(bought, public_id=public_id)


def _offered(request: HttpRequest, public_id: str) -> Resale:
    caller = caller_of(request)
    offered = resales_shown(caller).filter(buyer_id=caller.organization_id)
    return get_object_or_404(offered, public_id=public_id)
