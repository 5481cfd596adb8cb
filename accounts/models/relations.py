"""Organizations that act as one: what an operator knows of two of them, and writes down."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models.callers import Caller
from accounts.models.organizations import Organization
from exchange.foundation.ids import LENGTH_MAX, new_id

REASON_LENGTH_MAX = 500


def new_relation_id() -> str:
    """Return a fresh public id of a relation."""
    return new_id("rel")


class RelationKind(models.TextChoices):
    """Why two organizations are related. Those of one owner count as one seller."""

    OWNER = "owner", "the same owner"
    CONTROL = "control", "one controls the other"
    PERSON = "person", "the same person decides in both"
    AGREEMENT = "agreement", "an agreement about what they offer or buy"


RELATION_KINDS_OF_ONE_SELLER = [RelationKind.OWNER, RelationKind.CONTROL]


class OrganizationRelationQuerySet(models.QuerySet["OrganizationRelation"]):
    """Relations are the business of operators and auditors."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Return all to operators and auditors, nothing to others."""
        return self if caller is not None and caller.sees_all else self.none()

    def live(self) -> Self:
        """Cut to relations that were not ended."""
        return self.filter(ended_at__isnull=True)


class OrganizationRelation(models.Model):
    """Two organizations of which an operator says that they are related, with the reason.

    ``one`` is the one with the lower number, so that a pair is entered once. What an operator
    wrote stays; a relation that is over is ended, with a reason too.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_relation_id, editable=False
    )
    one = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    other = models.ForeignKey(Organization, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=RelationKind)
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    actor = models.CharField(max_length=80, help_text="who entered it")
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=80, blank=True)
    ended_reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)

    objects = OrganizationRelationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=RelationKind.values), name="relation_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(one__lt=F("other")), name="relation_of_two_in_their_order"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="relation_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="", ended_reason="")
                | Q(ended_at__isnull=False) & ~Q(ended_by="") & ~Q(ended_reason=""),
                name="relation_ends_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["one", "other", "kind"],
                condition=Q(ended_at__isnull=True),
                name="relation_entered_once",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="relation_content", exclude=["ended_at", "ended_by", "ended_reason"]
            ),
            pgtrigger.Protect(name="relation_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} and {self.other_id}: {self.kind}"
