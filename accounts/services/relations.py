"""What an operator writes down about two organizations that act as one."""

from django.db import IntegrityError, transaction

from accounts.models import Caller, Organization, OrganizationRelation
from accounts.models.relations import REASON_LENGTH_MAX, RelationKind
from accounts.services.audit_rows import record
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now


class RelationMalformed(Exception):
    """A relation is of two organizations, and of a known kind."""


class AlreadyRelated(Exception):
    """Just this is written down of the two already."""


class RelationOver(Exception):
    """The relation was ended before."""


def enter_relation(
    one: Organization, other: Organization, *, kind: str, reason: str, actor: Caller
) -> OrganizationRelation:
    """Write down that two organizations are related, in either order.

    Raises ReasonMissing, RelationMalformed, AlreadyRelated.
    """
    _refuse_without_reason(reason)
    if one.pk == other.pk or kind not in RelationKind.values:
        raise RelationMalformed("a relation is of two organizations, and of a known kind")
    first, second = sorted((one.pk, other.pk))
    try:
        with transaction.atomic():
            relation = OrganizationRelation.objects.create(
                one_id=first,
                other_id=second,
                kind=kind,
                reason=reason.strip()[:REASON_LENGTH_MAX],
                actor=actor.signature,
                entered_at=market_now(),
            )
            record(actor, "enter", relation, reason)
    except IntegrityError as twice:
        raise AlreadyRelated("this is written down of the two already") from twice
    return relation


def end_relation(relation: OrganizationRelation, *, reason: str, actor: Caller) -> None:
    """Say that a relation is over. Raises ReasonMissing, RelationOver."""
    _refuse_without_reason(reason)
    with transaction.atomic():
        ended = OrganizationRelation.objects.live().filter(pk=relation.pk)
        changed = ended.update(
            ended_at=market_now(),
            ended_by=actor.signature,
            ended_reason=reason.strip()[:REASON_LENGTH_MAX],
        )
        if not changed:
            raise RelationOver("this relation was ended before")
        record(actor, "end", relation, reason)


def _refuse_without_reason(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing("what is said of two organizations needs a reason")
