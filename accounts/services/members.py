from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Caller, Membership, Organization, Role, User
from accounts.services import audit_rows

MEMBERS_MAX = 500


class LastOwner(Exception):
    """An organization keeps at least one owner, or nobody could ever let anybody in again."""


class NotAnOwner(Exception):
    """Only an owner decides about the members and keys of its organization."""


class TooManyMembers(Exception):
    """An organization has at most MEMBERS_MAX members."""


class AlreadyMember(Exception):
    """A person has one role in an organization; change it instead."""


def add_member(organization: Organization, user: User, *, role: str) -> Membership:
    """Let ``user`` act for ``organization`` in this role; another role replaces the one it had."""
    membership, _ = Membership.objects.update_or_create(
        organization=organization, user=user, defaults={"role": role}
    )
    return membership


def change_role(membership: Membership, *, role: str, actor: Caller) -> None:
    """Give a member another role. Raises NotAnOwner, LastOwner."""
    _refuse_unless_owner(actor, membership)
    with transaction.atomic():
        if role != Role.OWNER:
            _refuse_last_owner(membership)
        Membership.objects.filter(pk=membership.pk).update(role=role)
        audit_rows.record(actor, "change_role", membership, f"{membership.role} -> {role}")
    membership.role = role


def remove_member(membership: Membership, *, actor: Caller) -> None:
    """End a membership at once; the person and what it did stay. Raises NotAnOwner, LastOwner."""
    _refuse_unless_owner(actor, membership)
    with transaction.atomic():
        _refuse_last_owner(membership)
        audit_rows.record(actor, "remove_member", membership, membership.user.email)
        Membership.objects.filter(pk=membership.pk).delete()


def _refuse_unless_owner(actor: Caller, membership: Membership | None = None) -> None:
    is_own = membership is None or membership.organization_id == actor.organization_id
    if actor.role != Role.OWNER or not is_own:
        raise NotAnOwner("only an owner of the organization may do this")


def _locked_members(organization_id: int) -> QuerySet[Membership]:
    """Return the members, locked with their organization: two owners cannot demote each other."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)
    return Membership.objects.filter(organization_id=organization_id).select_related("user")


def _refuse_last_owner(membership: Membership) -> None:
    members = _locked_members(membership.organization_id)
    others = members.filter(role=Role.OWNER, user__is_active=True).exclude(pk=membership.pk)
    if not others.exists():
        raise LastOwner("this is the last owner")
