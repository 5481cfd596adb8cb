"""An organization applies; an operator lets it in or says why not."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import APPLICATION_MOVES, Application, ApplicationState, Caller, Kind, Role
from accounts.services import audit_rows
from accounts.services.invitations import write_invitation
from accounts.services.letters import in_every_language, lines, write_letter
from accounts.services.organizations import ReasonMissing, create_organization
from exchange.foundation.states import move

WAITING_MAX = 1_000


class NotForApplications(Exception):
    """Only an operator decides who takes part."""


def apply(said: Mapping[str, Any]) -> Application | None:
    """Keep an application and confirm it by letter; None if too many wait for the operator.

    It says nothing of who is here already: the same words are answered to everybody.
    """
    waiting = Application.objects.filter(state=ApplicationState.WAITING)
    if waiting[:WAITING_MAX].count() >= WAITING_MAX:
        return None
    with transaction.atomic():
        application = Application.objects.create(**said)
        subject = in_every_language(lambda: _("We have your application"), between=" / ")
        write_letter(application.email, subject, in_every_language(lambda: _received(application)))
    return application


def approve(application: Application, *, reason: str, actor: Caller) -> None:
    """Make the organization and invite its first owner. Raises IllegalMove, LostRace."""
    _refuse_non_operator(actor)
    with transaction.atomic():
        kinds = [kind for kind in (Kind.PROVIDES, Kind.BUYS) if getattr(application, kind.value)]
        organization = create_organization(
            application.name,
            kinds=kinds,
            legal_name=application.legal_name,
            tax_country=application.tax_country,
            actor=actor,
        )
        _decide(application, ApplicationState.APPROVED, reason, actor, organization=organization)
        write_invitation(organization, application.email, role=Role.OWNER)


def refuse(application: Application, *, reason: str, actor: Caller) -> None:
    """Say no, and why. Raises ReasonMissing, IllegalMove, LostRace."""
    _refuse_non_operator(actor)
    if not reason.strip():
        raise ReasonMissing("to refuse an application needs a reason")
    with transaction.atomic():
        _decide(application, ApplicationState.REFUSED, reason.strip(), actor)
        subject = in_every_language(lambda: _("Your application was refused"), between=" / ")
        text = in_every_language(lambda: _refusal(application))
        write_letter(application.email, subject, text)


def _decide(
    application: Application, to: ApplicationState, reason: str, actor: Caller, **changes: Any
) -> None:
    move(
        application,
        to=to,
        moves=APPLICATION_MOVES,
        reason=reason[:200],
        decided_at=timezone.now(),
        **changes,
    )
    audit_rows.record(actor, to.value, application, reason)


def _refuse_non_operator(actor: Caller) -> None:
    if not actor.operates:
        raise NotForApplications("only an operator decides this")


def _received(application: Application) -> str:
    return lines(
        [
            _("%(name)s has applied to take part in the Compute Exchange.")
            % {"name": application.name},
            _("The operator will look at it and write to this address."),
            settings.PORTAL_URL,
        ]
    )


def _refusal(application: Application) -> str:
    return lines(
        [
            _("%(name)s will not take part in the Compute Exchange.") % {"name": application.name},
            _("Reason: %(reason)s") % {"reason": application.reason},
        ]
    )
