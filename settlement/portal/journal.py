"""The journal of an organization's money, as a file."""

from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from accounts.web.portal import caller_of, member_required
from exchange.foundation.market_time import market_now
from settlement.queries.journal import BEGINNING, day_after, journal


@require_safe
@member_required()
def journal_file(request: HttpRequest) -> StreamingHttpResponse:
    """Stream everything that ever moved, for Beancount."""
    return StreamingHttpResponse(
        journal(caller_of(request), first=BEGINNING, after=day_after(market_now())),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="journal.beancount"'},
    )
