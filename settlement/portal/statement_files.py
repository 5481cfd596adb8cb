"""The files of a statement, as links on its page lead to them."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from accounts.web.portal import caller_of, member_required
from settlement.models import CreditNote, Side, Statement
from settlement.queries.focus import focus_csv
from settlement.queries.line_rows import statement_csv
from settlement.queries.statement_pdf import LANGUAGES, credit_note_pdf, statement_pdf
from settlement.queries.statement_proof import statement_proof
from settlement.queries.statements import statements_shown


@require_safe
@member_required()
def lines_file(request: HttpRequest, public_id: str) -> StreamingHttpResponse:
    """Stream the lines as CSV."""
    statement = _statement(request, public_id)
    return StreamingHttpResponse(
        statement_csv(statement),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{statement.public_id}.csv"'},
    )


@require_safe
@member_required()
def focus_file(request: HttpRequest, public_id: str) -> StreamingHttpResponse:
    """Stream what a buyer was charged as FOCUS 1.2."""
    statement = _statement(request, public_id)
    if statement.side != Side.BUYER:
        raise Http404
    return StreamingHttpResponse(
        focus_csv([statement]),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{statement.public_id}.focus.csv"'},
    )


@require_safe
@member_required()
def proof_file(request: HttpRequest, public_id: str) -> StreamingHttpResponse:
    """Stream the statement with all that it follows from."""
    statement = _statement(request, public_id)
    return StreamingHttpResponse(
        statement_proof(statement),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{statement.public_id}.json"'},
    )


@require_safe
@member_required()
def pdf_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the statement as PDF, in the page's language."""
    statement = _statement(request, public_id)
    return _document(statement_pdf(statement, language=_language()), statement.public_id)


@require_safe
@member_required()
def credit_note_file(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the credit note that took the statement back, as PDF in the page's language."""
    notes = CreditNote.objects.visible_to(caller_of(request)).select_related(
        "statement__organization"
    )
    note = get_object_or_404(notes, statement__public_id=public_id)
    return _document(credit_note_pdf(note, language=_language()), note.public_id)


def _statement(request: HttpRequest, public_id: str) -> Statement:
    return get_object_or_404(statements_shown(caller_of(request)), public_id=public_id)


def _language() -> str:
    code = get_language()
    return next((name for name, known in LANGUAGES.items() if known == code), "en")


def _document(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"'}
    return HttpResponse(content, content_type="application/pdf", headers=headers)
