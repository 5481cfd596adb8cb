"""Statements: the list, one with its totals, and its lines a page at a time."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.pages import LIMIT, LIMIT_MAX, refused
from settlement.api.statement_serializers import (
    LinePageSerializer,
    StatementDetailSerializer,
    StatementSerializer,
    minor_scale,
)
from settlement.models import Statement
from settlement.queries.line_transfers import transfers_of
from settlement.queries.statement_lines import lines_after
from settlement.queries.statements import statements_shown, totals_of

LINE_NO_LENGTH_MAX = 9
AFTER = OpenApiParameter("after", int, description="the number of the line to go on from")
LIMITED = OpenApiParameter("limit", int, description=f"lines in a page, up to {LIMIT_MAX}")


@extend_schema_view(get=extend_schema(operation_id="statements_list", tags=["settlement"]))
class StatementList(ListAPIView[Statement]):
    """The caller's statements, month by month; the current month's is a draft."""

    scopes = {"GET": Scope.STATEMENTS_READ}
    queryset = Statement.objects.none()
    serializer_class = StatementSerializer
    sorts = ("starts_at", "created_at")

    def get_queryset(self) -> QuerySet[Statement]:
        """Return what the caller may see."""
        return statements_shown(caller_of(self.request))


class StatementDetail(APIView):
    """One statement: its totals, its taxes, and where its lines are."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_retrieve", responses=StatementDetailSerializer, tags=["settlement"]
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return the statement, or 404 if it is another's."""
        statement = get_object_or_404(statements_shown(caller_of(request)), public_id=public_id)
        shown = {
            "statement": statement,
            "totals": totals_of(statement),
            "credit_note": getattr(statement, "credit_note", None),
            "lines_url": reverse("statement_lines", args=[public_id], request=request),
        }
        return Response(StatementDetailSerializer(shown).data)


class StatementLines(APIView):
    """The lines of one statement, a page at a time."""

    scopes = {"GET": Scope.STATEMENTS_READ}

    @extend_schema(
        operation_id="statements_lines",
        parameters=[AFTER, LIMITED],
        responses=LinePageSerializer,
        tags=["settlement"],
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return the lines that follow ``after``, or 404 if the statement is another's."""
        statement = get_object_or_404(statements_shown(caller_of(request)), public_id=public_id)
        limit = _number(request, "limit", LIMIT, lowest=1, highest=LIMIT_MAX)
        after = _number(request, "after", 0, lowest=0, highest=10**LINE_NO_LENGTH_MAX - 1)
        found = lines_after(statement, line_no=after, limit=limit + 1)
        lines, more = found[:limit], len(found) > limit
        page: dict[str, Any] = {"data": lines, "has_more": more, "next": None}
        if more:
            here = request.build_absolute_uri()
            page["next"] = replace_query_param(here, "after", str(lines[-1].line_no))
        context = {"minor_scale": minor_scale(statement), "moved": transfers_of(lines)}
        return Response(LinePageSerializer(page, context=context).data)


def _number(request: Request, name: str, default: int, *, lowest: int, highest: int) -> int:
    text = request.query_params.get(name, str(default))
    is_number = text.isascii() and text.isdigit() and len(text) <= LINE_NO_LENGTH_MAX
    if not is_number or not lowest <= int(text) <= highest:
        raise refused(name, f"{name}_invalid", f"A whole number from {lowest} to {highest}.")
    return int(text)
