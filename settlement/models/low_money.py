"""When an organization wants to know that its money runs low, and whether it has been told."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import Caller, Organization


class LowMoneyQuerySet(models.QuerySet["LowMoney"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own mark; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class LowMoney(models.Model):
    """Below ``mark_micros`` of money that is neither spent nor held an organization is told.

    It is told once, when ``low_since`` is set, and again only after there was enough meanwhile.
    Without a row, or with an empty mark, the house's own mark counts.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, related_name="low_money"
    )
    mark_micros = models.BigIntegerField(null=True)
    low_since = models.DateTimeField(null=True)

    objects = LowMoneyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "low money"
        constraints = [
            models.CheckConstraint(
                condition=Q(mark_micros__isnull=True) | Q(mark_micros__gte=0),
                name="low_money_mark_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.mark_micros}"
