"""Invitations: a letter with a token that opens the door once, and not for ever."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Caller, Invitation, Membership, Organization, Role, User
from accounts.services import audit_rows
from accounts.services.letters import in_every_language, lines, write_letter
from accounts.services.members import MEMBERS_MAX, AlreadyMember, NotAnOwner, TooManyMembers

LIVES = timedelta(days=7)
TOKEN_BYTES = 32


class InvitationGone(Exception):
    """There is no such invitation: it was accepted, withdrawn, has expired, or never was."""


class NotInvited(Exception):
    """An invitation is for the person of its address; somebody else is signed in."""


class AccountExists(Exception):
    """This person has an account already, and signs in to accept."""


def invite(email: str, *, role: str, actor: Caller) -> Invitation:
    """Invite the person of this address; an older invitation of it ends.

    Raises NotAnOwner, AlreadyMember, TooManyMembers.
    """
    if actor.role != Role.OWNER:
        raise NotAnOwner("only an owner of the organization may do this")
    email = email.strip().lower()
    with transaction.atomic():
        own = Organization.objects.select_for_update(no_key=True).get(pk=actor.organization_id)
        members = Membership.objects.filter(organization=own)
        if members.filter(user__email=email).exists():
            raise AlreadyMember(email)
        if members.count() + own.invitations.open().count() >= MEMBERS_MAX:
            raise TooManyMembers(f"at most {MEMBERS_MAX} members")
        invitation = write_invitation(own, email, role=role)
        audit_rows.record(actor, "invite", invitation, f"{email} as {role}")
    return invitation


def write_invitation(organization: Organization, email: str, *, role: str) -> Invitation:
    """Make an invitation and the letter that carries its token, which is kept nowhere else."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    waiting = Invitation.objects.filter(organization=organization, email=email)
    waiting.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=timezone.now())
    invitation = Invitation.objects.create(
        organization=organization,
        email=email,
        role=role,
        token_sha256=_sha256(token),
        expires_at=timezone.now() + LIVES,
    )
    subject = in_every_language(
        lambda: _("Invitation to act for %(name)s") % {"name": organization.name}, between=" / "
    )
    write_letter(email, subject, in_every_language(lambda: _letter(organization, token)))
    return invitation


def withdraw_invitation(invitation: Invitation, *, actor: Caller) -> None:
    """End an invitation; one that is over changes nothing. Raises NotAnOwner."""
    if actor.role != Role.OWNER or invitation.organization_id != actor.organization_id:
        raise NotAnOwner("only an owner of the organization may do this")
    with transaction.atomic():
        rows = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, withdrawn_at=None)
        if rows.update(withdrawn_at=timezone.now()):
            audit_rows.record(actor, "withdraw", invitation)


def invitation_of(token: str) -> Invitation:
    """Return the open invitation that a token opens. Raises InvitationGone."""
    rows = Invitation.objects.open().filter(token_sha256=_sha256(token))
    found = rows.filter(organization__state=Organization.State.ACTIVE)
    invitation = found.select_related("organization").first()
    if invitation is None:
        raise InvitationGone("there is no such invitation")
    return invitation


def has_account(invitation: Invitation) -> bool:
    """Return whether the person invited has a user already: told only to who holds the token."""
    return User.objects.filter(email=invitation.email).exists()


def accept(token: str, *, user: User) -> Membership:
    """Let a signed-in person in. Raises InvitationGone, NotInvited."""
    with transaction.atomic():
        invitation = _taken(token)
        if user.email != invitation.email:
            raise NotInvited("the invitation is for somebody else")
        return _join(invitation, user)


def accept_as_new(token: str, *, name: str, password: str) -> User:
    """Let a person in who has no account yet: the token proved the address.

    Raises InvitationGone, AccountExists.
    """
    try:
        with transaction.atomic():
            invitation = _taken(token)
            if has_account(invitation):
                raise AccountExists("sign in to accept")
            user = User.objects.create_user(invitation.email, password, name=name)
            _join(invitation, user)
    except IntegrityError as error:
        raise AccountExists("sign in to accept") from error
    return user


def _taken(token: str) -> Invitation:
    """Use the token up, in the transaction that is open: of two at once one finds it gone."""
    invitation = invitation_of(token)
    rows = Invitation.objects.open().filter(pk=invitation.pk)
    if not rows.update(accepted_at=timezone.now()):
        raise InvitationGone("there is no such invitation")
    return invitation


def _join(invitation: Invitation, user: User) -> Membership:
    membership, _is_new = Membership.objects.get_or_create(
        organization=invitation.organization, user=user, defaults={"role": invitation.role}
    )
    return membership


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _letter(organization: Organization, token: str) -> str:
    return lines(
        [
            _("You are invited to act for %(name)s on the Compute Exchange.")
            % {"name": organization.name},
            _("Open this address within seven days to accept; it works once:"),
            f"{settings.PORTAL_URL}/invitations/{token}",
            _("If you do not know why, do nothing: nobody is let in without this address."),
        ]
    )
