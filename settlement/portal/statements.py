"""Statements: what an organization owes or is owed for a month."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required
from settlement.models import Statement
from settlement.queries.statements import sheet_of

LINES = 50


@require_safe
@member_required()
def statement_list(request: HttpRequest) -> HttpResponse:
    """List the caller's statements, the latest month first."""
    statements = Statement.objects.visible_to(caller_of(request)).order_by("-starts_at", "-id")
    page = Page(statements.select_related("organization"), number=page_number(request))
    return render(request, "settlement/statement_list.html", {"page": page})


@require_safe
@member_required()
def statement_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one statement with its lines; a draft's are those of this moment."""
    statements = Statement.objects.visible_to(caller_of(request)).select_related("organization")
    statement = get_object_or_404(statements, public_id=public_id)
    sheet = sheet_of(statement)
    page = Page(sheet.lines, number=page_number(request), size=LINES)
    context = {"statement": statement, "sheet": sheet, "page": page}
    return render(request, "settlement/statement_detail.html", context)
