"""What a member is told of, and how it wants to be told."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Notice, NoticeChoice
from accounts.models.notices import NOTICED
from accounts.services import notices
from accounts.services.notice_words import sentence_of
from accounts.web.listing import Page, page_number
from accounts.web.portal import caller_of, member_required


@require_safe
@member_required()
def notice_list(request: HttpRequest) -> HttpResponse:
    """List the notices, the newest first, and the switches. Context: ``page``, ``switches``."""
    caller = caller_of(request)
    shown = Notice.objects.visible_to(caller).filter(shown=True).select_related("event")
    page = Page(shown, number=page_number(request))
    chosen = {choice.type: choice for choice in NoticeChoice.objects.visible_to(caller)}
    plain = NoticeChoice()
    context = {
        "page": page,
        "rows": [(notice, sentence_of(notice.event)) for notice in page.rows],
        "switches": [(str(kind), chosen.get(str(kind), plain)) for kind in NOTICED],
        "has_unread": any(notice.read_at is None for notice in page.rows),
    }
    return render(request, "accounts/notices.html", context)


@require_POST
@member_required()
def notices_read(request: HttpRequest) -> HttpResponse:
    """Mark all as read."""
    notices.mark_read(caller_of(request))
    return redirect("notices")


@require_POST
@member_required()
def notices_choose(request: HttpRequest) -> HttpResponse:
    """Keep the switches; a box that is not ticked is off."""
    shown, mails = set(request.POST.getlist("shown")), set(request.POST.getlist("mails"))
    choices = {str(kind): (str(kind) in shown, str(kind) in mails) for kind in NOTICED}
    notices.choose(caller_of(request), choices)
    messages.success(request, _("Kept."))
    return redirect("notices")
