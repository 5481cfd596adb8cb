"""Contracts as their buyer and their provider see them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from settlement.models import Contract, ContractState, DeliveryPeriod, SettlementRun
from settlement.queries.dues import Due, dues_of, latest_runs


@require_safe
@member_required()
def contract_list(request: HttpRequest) -> HttpResponse:
    """List the caller's contracts with what each has come to."""
    caller = caller_of(request)
    contracts = Contract.objects.visible_to(caller).order_by("-starts_at", "-id")
    state = request.GET.get("state", "")
    if state in ContractState.values:
        contracts = contracts.filter(state=state)
    page = Page(contracts.select_related("buyer", "provider"), number=page_number(request))
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
    contracts = Contract.objects.visible_to(caller_of(request))
    contract = get_object_or_404(contracts.select_related("buyer", "provider"), public_id=public_id)
    return render(
        request,
        "settlement/contract_detail.html",
        {
            "contract": contract,
            "due": dues_of([contract.pk]).get(contract.pk, Due()),
            "moves": contract.moves.all(),
            "hours": _hours_of(contract),
        },
    )


def _hours_of(contract: Contract) -> list[tuple[DeliveryPeriod, SettlementRun | None]]:
    """Return the delivery periods in order, each with the last reckoning of it, if any."""
    runs = {run.period_id: run for run in latest_runs([contract.pk])}
    return [(period, runs.get(period.pk)) for period in contract.periods.order_by("starts_at")]
