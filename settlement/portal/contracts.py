"""Contracts as their buyer and their provider see them."""

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Role, Scope
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from settlement.models import CONTRACT_MOVES, Contract, ContractState
from settlement.portal.refusals import REFUSALS, words_of
from settlement.queries.contracts import contracts_shown, periods_of
from settlement.queries.disputes import disputes_of
from settlement.queries.dues import Due, dues_of
from settlement.queries.resales import resold_from
from settlement.services.contract_life import (
    READY_STATES,
    confirm_provisioning,
    reclaim_contract,
)
from settlement.services.resales import RESELLABLE


@require_safe
@member_required()
def contract_list(request: HttpRequest) -> HttpResponse:
    """List the caller's contracts with what each has come to."""
    caller = caller_of(request)
    contracts = contracts_shown(caller).order_by("-starts_at", "-id")
    state = request.GET.get("state", "")
    if state in ContractState.values:
        contracts = contracts.filter(state=state)
    page = Page(contracts, number=page_number(request))
    dues = dues_of([contract.pk for contract in page.rows])
    rows = [(row, dues.get(row.pk, Due())) for row in page.rows]
    return render(
        request,
        "settlement/contract_list.html",
        {"page": page, "rows": rows, "state": state, "states": ContractState.values},
    )


@require_safe
@member_required()
def contract_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one contract: its terms, its hours, and how each was settled."""
    caller = caller_of(request)
    contract = get_object_or_404(contracts_shown(caller), public_id=public_id)
    side = {contract.buyer_id: "buyer", contract.provider_id: "provider"}.get(
        caller.organization_id, ""
    )
    may_act = bool(side) and caller.has_scope(Scope.CONTRACTS_WRITE)
    next_states = CONTRACT_MOVES[contract.state]
    return render(
        request,
        "settlement/contract_detail.html",
        {
            "contract": contract,
            "due": dues_of([contract.pk]).get(contract.pk, Due()),
            "moves": contract.moves.all(),
            "hours": periods_of(contract),
            "disputes": disputes_of(contract),
            "may_dispute": may_act,
            "outages": contract.excused_outages.all(),
            "side": side,
            "may_confirm": may_act
            and contract.state in READY_STATES
            and not getattr(contract, f"{side}_confirmed_at"),
            "may_reclaim": may_act
            and side == "provider"
            and contract.resale is None
            and "reclaiming" in next_states,
            "may_resell": may_act and side == "buyer" and contract.state in RESELLABLE,
            "resold": resold_from(contract),
        },
    )


trader_required = member_required(roles=[Role.OWNER, Role.TRADER])


@require_POST
@trader_required
def confirm(request: HttpRequest, public_id: str) -> HttpResponse:
    """Confirm that a contract is ready, or can be used."""
    contract = own_contract(request, public_id)
    try:
        confirm_provisioning(contract, actor=caller_of(request))
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, _("Confirmed."))
    return redirect("contract_detail", public_id)


@require_POST
@trader_required
def reclaim(request: HttpRequest, public_id: str) -> HttpResponse:
    """Give notice that the provider takes the capacity back."""
    contract = own_contract(request, public_id)
    reason = request.POST.get("reason", "").strip()[:200]
    try:
        reclaim_contract(contract, reason=reason, actor=caller_of(request))
    except REFUSALS as refused:
        messages.error(request, words_of(refused))
    else:
        messages.success(request, _("Notice is given."))
    return redirect("contract_detail", public_id)


def own_contract(request: HttpRequest, public_id: str) -> Contract:
    """Return a contract that the caller is a party of; 404 for all others, whoever sees them."""
    caller = caller_of(request)
    party = Q(buyer_id=caller.organization_id) | Q(provider_id=caller.organization_id)
    return get_object_or_404(contracts_shown(caller).filter(party), public_id=public_id)
