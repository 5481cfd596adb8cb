"""What the operator lets an organization owe, and what it asks of sellers against default."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import Caller, Organization
from settlement.models.cash import ACTOR_LENGTH_MAX, REASON_LENGTH_MAX, person
from settlement.models.contracts import Contract
from settlement.models.holds import Hold

_append_only = pgtrigger.Update | pgtrigger.Delete


class CreditLineQuerySet(models.QuerySet["CreditLine"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own credit; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class CreditLine(models.Model):
    """An operator let an organization spend so much more than it has. The latest row stands.

    Rows are added, never changed or removed; the ledger account carries the amount in force.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="credit_lines"
    )
    amount_micros = models.BigIntegerField()
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    set_by = person()
    actor = models.CharField(max_length=ACTOR_LENGTH_MAX)
    set_at = models.DateTimeField()

    objects = CreditLineQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="credit_line_in_force")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gte=0), name="credit_line_not_negative"
            )
        ]
        triggers = [pgtrigger.Protect(name="credit_line_append_only", operation=_append_only)]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.amount_micros}"


class CollateralRateQuerySet(models.QuerySet["CollateralRate"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own rate; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class CollateralRate(models.Model):
    """What share of a contract's value a provider puts up against default. The latest row stands.

    Rows are added, never changed or removed; without one the share is nothing.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="collateral_rates"
    )
    rate_ppm = models.IntegerField(help_text="of what the provider earns if all is delivered")
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    set_by = person()
    actor = models.CharField(max_length=ACTOR_LENGTH_MAX)
    set_at = models.DateTimeField()

    objects = CollateralRateQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="collateral_rate_in_force")]
        constraints = [
            models.CheckConstraint(
                condition=Q(rate_ppm__range=(0, 10_000_000)), name="collateral_rate_range"
            )
        ]
        triggers = [pgtrigger.Protect(name="collateral_rate_append_only", operation=_append_only)]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.rate_ppm} ppm"


class CollateralQuerySet(models.QuerySet["Collateral"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to what the caller put up; operators and auditors see all."""
        return self if caller.sees_all else self.filter(provider_id=caller.organization_id)

    def called(self) -> Self:
        """Cut to what is asked for and was not covered by the provider's money yet."""
        return self.filter(hold=None, released_at=None)


class Collateral(models.Model):
    """What a provider puts up for one contract: asked for when it is made, held once covered.

    ``hold`` freezes the provider's own money; it is captured where a penalty exceeds what the
    provider is owed, and what is left is released when every period of the contract is final.
    """

    contract = models.OneToOneField(Contract, on_delete=models.PROTECT, related_name="collateral")
    provider = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="collateral")
    required_micros = models.BigIntegerField()
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    objects = CollateralQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "collateral"
        indexes = [
            models.Index(
                fields=["provider"],
                condition=Q(released_at__isnull=True),
                name="collateral_in_force",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(required_micros__gt=0), name="collateral_of_something"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="collateral_terms", exclude=["hold", "released_at"]),
            pgtrigger.Protect(name="collateral_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id}: {self.required_micros}"
