"""What an organization has on its accounts, and what moved last."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.web.portal import caller_of, member_required
from settlement.queries.balances import accounts_shown, recent_transfers


@require_safe
@member_required()
def money(request: HttpRequest) -> HttpResponse:
    """Show the balances and the last few transfers."""
    caller = caller_of(request)
    context = {"accounts": accounts_shown(caller), "transfers": recent_transfers(caller)}
    return render(request, "settlement/money.html", context)
