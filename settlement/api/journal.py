"""The caller's transfers as a journal that accounting programs read."""

from datetime import date

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.pages import refused
from exchange.foundation.market_time import market_now
from settlement.queries.journal import BEGINNING, day_after, journal

FIRST = OpenApiParameter("first", date, description="the first day; all that was before, unless")
AFTER = OpenApiParameter("after", date, description="the day after the last; all, unless said")


class JournalView(APIView):
    """A journal for Beancount: the caller's own side, or the exchange's books for who sees all."""

    scopes = {"GET": Scope.BALANCES_READ}

    @extend_schema(
        operation_id="journal",
        parameters=[FIRST, AFTER],
        responses={(200, "text/plain"): OpenApiTypes.STR},
        tags=["settlement"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream the journal."""
        first = _day(request, "first", BEGINNING)
        after = _day(request, "after", day_after(market_now()))
        if after <= first:
            raise refused("after", "after_invalid", "A day after the first.")
        answer = StreamingHttpResponse(
            journal(caller_of(request), first=first, after=after),
            content_type="text/plain; charset=utf-8",
        )
        answer["Content-Disposition"] = 'attachment; filename="journal.beancount"'
        return answer


def _day(request: Request, name: str, default: date) -> date:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError as wrong:
        raise refused(name, f"{name}_invalid", "Write days as 2026-01-31.") from wrong
    if not BEGINNING <= day < date(2200, 1, 1):
        raise refused(name, f"{name}_invalid", "A year from 2000 on and before 2200.")
    return day
