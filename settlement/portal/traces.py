"""Following one kilowatt-hour and one yuan: the pages of an hour and of a transfer."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from settlement.models import Reading, Transfer
from settlement.queries.balances import transfers_shown
from settlement.queries.contracts import contracts_shown
from settlement.queries.hours import (
    event_ids_of,
    hour_of,
    period_named,
    readings_of,
    runs_of,
)
from settlement.queries.line_transfers import places_of


@require_safe
@member_required()
def hour_detail(request: HttpRequest, public_id: str, hour: str) -> HttpResponse:
    """Show an hour of a contract: what was read, reckoned, moved and written on statements."""
    caller = caller_of(request)
    contract = get_object_or_404(contracts_shown(caller), public_id=public_id)
    period = period_named(contract, hour)
    if period is None:
        raise Http404
    readings = readings_of(period).order_by("ends_at", "pk")
    page: Page[Reading] = Page(readings, number=page_number(request))
    events = event_ids_of(page.rows)
    context = {
        "contract": contract,
        "period": period,
        "hour": hour,
        "runs": runs_of(period, caller),
        "page": page,
        "readings": [(reading, events.get(reading.pk, "")) for reading in page.rows],
    }
    return render(request, "settlement/hour_detail.html", context)


@require_safe
@member_required()
def transfer_detail(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Show one transfer: whose accounts, what for, where in the chain, and on which lines."""
    caller = caller_of(request)
    rows = transfers_shown(caller).select_related("batch", "reverses")
    transfer: Transfer = get_object_or_404(rows, pk=transfer_id)
    context = {
        "transfer": transfer,
        "hour": hour_of(transfer.period.starts_at) if transfer.period else "",
        "lines": places_of([transfer], caller)[transfer.pk],
        "batch_link": bytes(transfer.batch.sha256).hex(),
    }
    return render(request, "settlement/transfer_detail.html", context)
