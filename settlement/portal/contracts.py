"""Contracts as their buyer and their provider see them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from settlement.models import ContractState
from settlement.queries.contracts import contracts_shown, periods_of
from settlement.queries.dues import Due, dues_of


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
    contract = get_object_or_404(contracts_shown(caller_of(request)), public_id=public_id)
    return render(
        request,
        "settlement/contract_detail.html",
        {
            "contract": contract,
            "due": dues_of([contract.pk]).get(contract.pk, Due()),
            "moves": contract.moves.all(),
            "hours": periods_of(contract),
        },
    )
