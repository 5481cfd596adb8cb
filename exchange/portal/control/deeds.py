"""A deed of the control room: done, or told why not."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.web.problems import refusal_of


def done(request: HttpRequest, deed: Callable[[], object]) -> bool:
    """Do the deed and return whether it was done; what the domain refuses becomes a message."""
    try:
        deed()
    except Exception as refused:
        if refusal_of(refused) is None:
            raise
        messages.error(request, _words(refused))
        return False
    return True


def _words(refused: Exception) -> str:
    row = refusal_of(refused)
    code = row[1] if row else ""
    words = {
        "own_request": _("Another person has to approve what you asked for."),
        "illegal_move": _("It is decided already."),
        "lost_race": _("It is decided already."),
        "market_already_frozen": _("This is halted already."),
        "market_not_frozen": _("This halt is lifted already."),
        "reason_missing": _("A reason is needed."),
        "already_related": _("This is written down of the two already."),
        "relation_malformed": _("Choose two organizations."),
        "relation_over": _("This relation was ended before."),
        "finding_gone": _("The market watch does not find this any more."),
    }
    return words.get(code, str(refused))
