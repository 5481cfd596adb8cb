"""Statements as files, streamed row by row."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from settlement.queries.line_rows import statement_csv
from settlement.queries.statements import statements_shown


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
        statement = get_object_or_404(statements_shown(caller_of(request)), public_id=public_id)
        answer = StreamingHttpResponse(
            statement_csv(statement), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="{statement.public_id}.csv"'
        return answer
