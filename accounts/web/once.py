"""A form of the portal does its deed once, however often it is sent.

The token in the form is written in the database transaction of the effect: who sends it again, by a
double click or after going back, waits for the first and is led to what that made.
"""

import re
from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts.models import FormPost
from accounts.web.portal import caller_of

FIELD = "once"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_CONSTRAINT = "form_post_once"


def do_once(request: HttpRequest, deed: Callable[[], str]) -> str:
    """Do ``deed``, which returns the public id of what it made, unless this form was sent before.

    A form without a token of ours is not known again. Whatever the deed raises leaves nothing.
    """
    token = request.POST.get(FIELD, "")
    if not _TOKEN.fullmatch(token):
        return deed()
    user_id = caller_of(request).user_id
    assert user_id is not None, "people send forms"
    mine = FormPost.objects.filter(user=user_id, token=token)
    try:
        with transaction.atomic():
            row = FormPost.objects.create(user_id=user_id, token=token, made="")
            made = deed()
            FormPost.objects.filter(pk=row.pk).update(made=made)
            return made
    except IntegrityError as wrong:
        diagnosis = getattr(wrong.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", "") != _CONSTRAINT:
            raise
        return mine.get().made
