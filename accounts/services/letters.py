"""Letters: written in the database transaction of what they tell, sent by the courier."""

import json
import logging
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation

from accounts.models import Letter
from accounts.services.sealing import seal, unseal

logger = logging.getLogger(__name__)

AT_ONCE = 50
ATTEMPTS_MAX = 12
WAIT_MAX = timedelta(hours=6)
RULE = "\n\n----\n\n"


def write_letter(address: str, subject: str, text: str) -> None:
    """Write a letter in the transaction that is open; it is sent after the commit."""
    content = json.dumps([" ".join(subject.split()), text])
    Letter.objects.create(address=address, sealed=seal(content.encode()))


def in_every_language(say: Callable[[], str], *, between: str = RULE) -> str:
    """Return what ``say`` says in each of the portal's languages, one after another."""
    said = []
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            said.append(say())
    return between.join(said)


def send_letters() -> int:
    """Send what is due; return how many went. One that fails is tried later, and then given up."""
    sent = 0
    while batch := _due():
        sent += sum(_send(letter_id) for letter_id in batch)
    return sent


def _due() -> list[int]:
    now = timezone.now()
    waiting = Letter.objects.filter(sent_at=None, next_attempt_at__lte=now)
    rows = waiting.filter(attempts__lt=ATTEMPTS_MAX).order_by("next_attempt_at", "pk")
    return list(rows.values_list("pk", flat=True)[:AT_ONCE])


def _send(letter_id: int) -> bool:
    """Send one letter unless somebody else is at it; a kill after the sending repeats it."""
    with transaction.atomic():
        rows = Letter.objects.filter(
            pk=letter_id, sent_at=None, next_attempt_at__lte=timezone.now()
        )
        letter = rows.select_for_update(skip_locked=True, no_key=True).first()
        if letter is None:
            return False
        subject, text = json.loads(unseal(letter.sealed))
        try:
            EmailMessage(subject, text, to=[letter.address]).send()
        except Exception:  # Whatever the mail server says, the others go on.
            logger.warning("letter %s was not sent", letter_id, exc_info=True)
            wait = min(WAIT_MAX, timedelta(minutes=1) * 2**letter.attempts)
            Letter.objects.filter(pk=letter_id).update(
                attempts=F("attempts") + 1, next_attempt_at=timezone.now() + wait
            )
            return False
        Letter.objects.filter(pk=letter_id).update(
            sent_at=timezone.now(), attempts=F("attempts") + 1, sealed=b""
        )
    return True


def lines(parts: Iterable[str]) -> str:
    """Return the paragraphs of a letter."""
    return "\n\n".join(parts) + "\n"
