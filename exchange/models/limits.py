"""How large a position an organization may take in one auction."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from accounts.models.callers import Caller
from exchange.models.columns import REASON_LENGTH_MAX, holds


class PositionLimitQuerySet(models.QuerySet["PositionLimit"]):
    """A limit is the business of the operator and of whom it binds."""

    def visible_to(self, caller: Caller | None) -> Self:
        """Cut to the caller's own limit; operators and auditors see all."""
        if caller is None:
            return self.none()
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class PositionLimit(models.Model):
    """The operator's bound on what an organization's live bids may ask for in one auction.

    Standing bids count in every auction. What is null is not bounded; the audit rows tell who
    changed it and when.
    """

    organization = models.OneToOneField(Organization, models.PROTECT, related_name="position_limit")
    lot_minutes_max = models.BigIntegerField(
        null=True, blank=True, help_text="accelerator-hours x 60,000"
    )
    cost_micros_max = models.BigIntegerField(
        null=True, blank=True, help_text="greatest cost of the bids, fee included"
    )
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    actor = models.CharField(max_length=80)
    set_at = models.DateTimeField()

    objects = PositionLimitQuerySet.as_manager()

    class Meta:
        constraints = [
            holds("position_limit_has_a_reason", ~Q(reason="")),
            holds(
                "position_limit_not_negative",
                Q(lot_minutes_max__isnull=True) | Q(lot_minutes_max__gte=0),
                Q(cost_micros_max__isnull=True) | Q(cost_micros_max__gte=0),
            ),
        ]

    def __str__(self) -> str:
        return f"limit of {self.organization_id}"
