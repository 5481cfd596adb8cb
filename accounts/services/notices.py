"""Members are told: notices in the portal, and letters that gather what is new."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Caller, Membership, Notice, NoticeChoice
from accounts.models.notices import NOTICED
from accounts.services.letters import in_every_language, lines, write_letter
from accounts.services.notice_words import sentence_of

AT_ONCE = 1_000
LINES_MAX = 20


def mark_read(caller: Caller) -> None:
    """Mark all notices of a member as read."""
    Notice.objects.visible_to(caller).unread().update(read_at=timezone.now())


def choose(caller: Caller, choices: Mapping[str, tuple[bool, bool]]) -> None:
    """Keep how a member wants to be told: for each type, in the portal and by e-mail."""
    assert set(choices) <= {str(kind) for kind in NOTICED}, "only these can be switched"
    assert caller.user_id is not None, "a key has no choices"
    member = Membership.objects.get(user_id=caller.user_id, organization_id=caller.organization_id)
    with transaction.atomic():
        for kind, (shown, mails) in choices.items():
            NoticeChoice.objects.update_or_create(
                membership=member, type=kind, defaults={"shown": shown, "mails": mails}
            )


def write_notice_letters() -> int:
    """Write one letter to each member for all that is new for it; return how many letters."""
    with transaction.atomic():
        rows = Notice.objects.filter(mails=True, mailed_at=None).order_by("pk")
        claimed = list(
            rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related(
                "event", "membership__user", "membership__organization"
            )[:AT_ONCE]
        )
        by_member: dict[Membership, list[Notice]] = defaultdict(list)
        for notice in claimed:
            by_member[notice.membership].append(notice)
        for member, notices in by_member.items():
            _write(member, notices)
        Notice.objects.filter(pk__in=[each.pk for each in claimed]).update(mailed_at=timezone.now())
    return len(by_member)


def _write(member: Membership, notices: list[Notice]) -> None:
    name = member.organization.name
    subject = in_every_language(lambda: _("News for %(name)s") % {"name": name}, between=" / ")
    write_letter(member.user.email, subject, in_every_language(lambda: _text(notices)))


def _text(notices: list[Notice]) -> str:
    said = [f"- {sentence_of(each.event)}" for each in islice(notices, LINES_MAX)]
    if len(notices) > LINES_MAX:
        said.append(_("… and %(count)s more.") % {"count": len(notices) - LINES_MAX})
    where = _("All of it, and what you are written to about:")
    return lines(["\n".join(said), f"{where} {settings.PORTAL_URL}/notices"])
