from collections.abc import Collection

from django.db import transaction

from accounts.models import ORGANIZATION_MOVES, Caller, Kind, Organization
from accounts.services import audit_rows
from exchange.foundation.states import move


class ReasonMissing(Exception):
    """What an operator does to others needs a reason that they can be told."""


def create_organization(
    name: str,
    *,
    kinds: Collection[str],
    legal_name: str = "",
    owner_group: str = "",
    region_code: str = "",
    tax_country: str = "",
    actor: Caller | None = None,
) -> Organization:
    """Create a party to the market that is of these ``kinds``: provides, buys, operates, audits."""
    assert kinds, "an organization is of some kind"
    assert set(kinds) <= set(Kind.values), f"kinds of organization: {kinds}"
    with transaction.atomic():
        organization = Organization.objects.create(
            name=name,
            legal_name=legal_name or name,
            owner_group=owner_group,
            region_code=region_code,
            tax_country=tax_country,
            **{str(kind): True for kind in kinds},
        )
        if actor:
            audit_rows.record(actor, "create", organization)
    return organization


def suspend_organization(organization: Organization, *, reason: str, actor: Caller) -> None:
    """Stop an organization: its keys and members open no door until it is resumed.

    Raises ReasonMissing, IllegalMove if it is suspended already, LostRace if somebody was faster.
    """
    _move(organization, to=Organization.State.SUSPENDED, verb="suspend", reason=reason, actor=actor)


def resume_organization(organization: Organization, *, reason: str, actor: Caller) -> None:
    """Let a suspended organization act again. Raises as suspend_organization does."""
    _move(organization, to=Organization.State.ACTIVE, verb="resume", reason=reason, actor=actor)


def _move(organization: Organization, *, to: str, verb: str, reason: str, actor: Caller) -> None:
    if not reason.strip():
        raise ReasonMissing(f"to {verb} an organization needs a reason")
    with transaction.atomic():
        move(organization, to=to, moves=ORGANIZATION_MOVES)
        audit_rows.record(actor, verb, organization, reason.strip())
