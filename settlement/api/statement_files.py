"""Statements as files; those with a row a line are streamed, however long they are."""

from collections.abc import Iterable

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.pages import refused
from settlement.models import CreditNote, Side, Statement
from settlement.queries.focus import focus_csv
from settlement.queries.line_rows import statement_csv
from settlement.queries.statement_pdf import LANGUAGES, credit_note_pdf, statement_pdf
from settlement.queries.statement_proof import statement_proof
from settlement.queries.statements import statements_shown

LANGUAGE = OpenApiParameter("lang", str, enum=list(LANGUAGES), description="en unless asked")


class StatementCsv(APIView):
    """One statement's lines as CSV (RFC 4180, UTF-8)."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_csv",
        responses={(200, "text/csv"): OpenApiTypes.STR},
        tags=["settlement"],
    )
    def get(self, request: Request, public_id: str) -> StreamingHttpResponse:
        """Return the lines, or 404 if the statement is another's."""
        statement = _statement(request, public_id)
        return _streamed(statement_csv(statement), f"{statement.public_id}.csv")


class StatementProof(APIView):
    """One statement with all that it follows from, for ``manage.py verify_statement``."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_proof",
        responses={(200, "application/json"): OpenApiTypes.OBJECT},
        tags=["settlement"],
    )
    def get(self, request: Request, public_id: str) -> StreamingHttpResponse:
        """Return the file, or 404 if the statement is another's."""
        statement = _statement(request, public_id)
        name = f"{statement.public_id}.json"
        return _streamed(statement_proof(statement), name, kind="application/json")


class StatementFocus(APIView):
    """What a buyer was charged, as FOCUS 1.2 (FinOps Open Cost and Usage Specification)."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_focus",
        responses={(200, "text/csv"): OpenApiTypes.STR},
        tags=["settlement"],
    )
    def get(self, request: Request, public_id: str) -> StreamingHttpResponse:
        """Return the rows, or 404 if the statement is another's or a provider's."""
        statement = _statement(request, public_id)
        if statement.side != Side.BUYER:
            raise NotFound("Only what a buyer is charged is told in FOCUS.")
        return _streamed(focus_csv([statement]), f"{statement.public_id}.focus.csv")


class StatementPdf(APIView):
    """One statement as PDF, in English or Chinese."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_pdf",
        parameters=[LANGUAGE],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=["settlement"],
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        """Return the document, or 404 if the statement is another's."""
        statement, language = _statement(request, public_id), _language(request)
        return _document(
            statement_pdf(statement, language=language), f"{statement.public_id}.{language}.pdf"
        )


class CreditNotePdf(APIView):
    """The credit note that took a statement back, as PDF in English or Chinese."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_credit_note_pdf",
        parameters=[LANGUAGE],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        tags=["settlement"],
    )
    def get(self, request: Request, public_id: str) -> HttpResponse:
        """Return the document, or 404 if there is no note or the statement is another's."""
        language = _language(request)
        notes = CreditNote.objects.visible_to(caller_of(request)).select_related(
            "statement__organization"
        )
        note = get_object_or_404(notes, statement__public_id=public_id)
        return _document(
            credit_note_pdf(note, language=language), f"{note.public_id}.{language}.pdf"
        )


def _statement(request: Request, public_id: str) -> Statement:
    return get_object_or_404(statements_shown(caller_of(request)), public_id=public_id)


def _language(request: Request) -> str:
    language = request.query_params.get("lang", "en")
    if language not in LANGUAGES:
        raise refused("lang", "lang_invalid", f"One of {', '.join(LANGUAGES)}.")
    return language


def _streamed(
    rows: Iterable[str], name: str, *, kind: str = "text/csv; charset=utf-8"
) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(rows, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _document(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    return answer
