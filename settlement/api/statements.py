"""Statements: the list, one with its lines, and the same lines as CSV."""

import csv
from collections.abc import Iterator
from io import StringIO

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Caller
from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from exchange.foundation.money import MICROS, format_scaled
from settlement.api.statement_serializers import StatementDetailSerializer, StatementSerializer
from settlement.models import Statement
from settlement.queries.statements import Line, Sheet, hours_of, sheet_of

CSV_COLUMNS = (
    "line",
    "kind",
    "contract",
    "site",
    "accelerator",
    "period_start",
    "period_end",
    "run",
    "accelerator_hours",
    "price",
    "exact_amount",
    "amount",
    "currency",
)


def _statements(caller: Caller) -> QuerySet[Statement]:
    return Statement.objects.visible_to(caller).select_related("organization")


@extend_schema_view(get=extend_schema(operation_id="statements_list", tags=["settlement"]))
class StatementList(ListAPIView[Statement]):
    """The caller's statements, month by month; the current month's is a draft."""

    scopes = {"GET": Scope.STATEMENTS_READ}
    queryset = Statement.objects.none()
    serializer_class = StatementSerializer
    sorts = ("starts_at", "created_at")

    def get_queryset(self) -> QuerySet[Statement]:
        """Return what the caller may see."""
        return _statements(caller_of(self.request))


class StatementDetail(APIView):
    """One statement with its lines."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_retrieve", responses=StatementDetailSerializer, tags=["settlement"]
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return the statement, or 404 if it is another's."""
        statement = get_object_or_404(_statements(caller_of(request)), public_id=public_id)
        shown = {"statement": statement, "sheet": sheet_of(statement)}
        return Response(StatementDetailSerializer(shown).data)


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
        statement = get_object_or_404(_statements(caller_of(request)), public_id=public_id)
        answer = StreamingHttpResponse(
            _csv(statement, sheet_of(statement)), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="{statement.public_id}.csv"'
        return answer


def _csv(statement: Statement, sheet: Sheet) -> Iterator[str]:
    yield _row(CSV_COLUMNS)
    for line in sheet.lines:
        yield _row(_cells(statement, line))


def _cells(statement: Statement, line: Line) -> tuple[str, ...]:
    return (
        str(line.line_no),
        line.kind,
        line.contract,
        line.site,
        line.accelerator,
        line.starts_at.isoformat(),
        line.ends_at.isoformat(),
        str(line.run_no),
        hours_of(line.delivered_ms),
        line.price,
        format_scaled(line.exact_micros, scale=MICROS),
        format_scaled(line.billed_minor, scale=10**statement.minor_digits),
        statement.currency,
    )


def _row(cells: tuple[str, ...]) -> str:
    text = StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
