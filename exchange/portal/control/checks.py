"""A certificate checked again: by the archive's files alone, then against the tables."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.web.portal import caller_of
from exchange.models import ClearingResult
from exchange.portal.archives import sent_archive
from exchange.portal.control.doors import control_reads
from exchange.queries.archive_files import archived_files
from exchange.queries.certificates import certificate_of
from exchange.queries.verification import problems_of

PROBLEMS_SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@control_reads
def auction_check(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show what an auction proved; asked to, check it again and tell the outcome."""
    result = _result(request, public_id)
    is_checked = request.method == "POST"
    problems = problems_of(result) if is_checked else []
    shown = {
        "title": _("Check a certificate"),
        "auction": result.auction,
        "certificate": certificate_of(result),
        "is_checked": is_checked,
        "problems": problems[:PROBLEMS_SHOWN],
        "count": len(problems),
    }
    return render(request, "exchange/control/check.html", shown)


@require_safe
@control_reads
def auction_book(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Give the whole book with its result; operators and auditors need not wait for it."""
    result = _result(request, public_id)
    return sent_archive(result, archived_files(result))


def _result(request: HttpRequest, public_id: str) -> ClearingResult:
    seen = ClearingResult.objects.visible_to(caller_of(request))
    return get_object_or_404(seen.select_related("auction__series"), auction__public_id=public_id)
