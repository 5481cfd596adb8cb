"""Statements: what an organization owes or is owed for a month."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from settlement.models import Statement
from settlement.queries.contracts import contracts_shown
from settlement.queries.hours import hour_of, line_of_hour, period_named
from settlement.queries.line_transfers import transfers_of, transfers_of_line
from settlement.queries.statement_lines import lines_after
from settlement.queries.statements import statements_shown, totals_of

LINES = 50
LINE_NO_LENGTH_MAX = 9


@require_safe
@member_required()
def statement_list(request: HttpRequest) -> HttpResponse:
    """List the caller's statements, the latest month first."""
    statements = statements_shown(caller_of(request)).order_by("-starts_at", "-id")
    page = Page(statements, number=page_number(request))
    return render(request, "settlement/statement_list.html", {"page": page})


@require_safe
@member_required()
def statement_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one statement with a page of its lines; a draft's are those of this moment."""
    statement = get_object_or_404(statements_shown(caller_of(request)), public_id=public_id)
    first = _line_asked_for(request, statement)
    lines = lines_after(statement, line_no=first - 1, limit=LINES + 1)
    moved = transfers_of(lines[:LINES])
    context = {
        "statement": statement,
        "totals": totals_of(statement),
        "note": getattr(statement, "credit_note", None),
        "replacement": getattr(statement, "replaced_by", None),
        "lines": [
            (line, hour_of(line.starts_at), transfers_of_line(line, moved))
            for line in lines[:LINES]
        ],
        "first": first,
        "before": max(1, first - LINES),
        "after": first + LINES if len(lines) > LINES else None,
    }
    return render(request, "settlement/statement_detail.html", context)


def _line_asked_for(request: HttpRequest, statement: Statement) -> int:
    """Return where to begin: at a line, or at the first about an hour of a contract."""
    contract, hour = request.GET.get("contract"), request.GET.get("hour")
    if contract and hour:
        contracts = contracts_shown(caller_of(request))
        period = period_named(get_object_or_404(contracts, public_id=contract), hour)
        return line_of_hour(statement, period) if period else 1
    return _first_line(request)


def _first_line(request: HttpRequest) -> int:
    """Return the number of the first line to show; whatever is no number is the first."""
    asked = request.GET.get("line", "1")
    is_number = asked.isascii() and asked.isdigit() and len(asked) <= LINE_NO_LENGTH_MAX
    return max(int(asked), 1) if is_number else 1
