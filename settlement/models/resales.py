"""What a buyer sells on of a contract: to somebody it names, or back to the auctions."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of
from settlement.models.contracts import REASON_LENGTH_MAX, Contract


def new_resale_id() -> str:
    """Return a fresh public id of a resale."""
    return new_id("rsl")


class ResaleState(models.TextChoices):
    """Where a resale stands. While it is open its hours are kept for it."""

    OPEN = "open", "open"
    SOLD = "sold", "sold"
    DECLINED = "declined", "declined"
    WITHDRAWN = "withdrawn", "withdrawn"
    LAPSED = "lapsed", "lapsed"


RESALE_MOVES = moves_of(ResaleState.values, {"open": ["sold", "declined", "withdrawn", "lapsed"]})


class ResaleQuerySet(models.QuerySet["Resale"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to what the caller sells on or is offered; operators and auditors see all."""
        if caller.sees_all:
            return self
        mine = caller.organization_id
        return self.filter(Q(contract__buyer_id=mine) | Q(buyer_id=mine))

    def open(self) -> Self:
        """Cut to those that can still be sold."""
        return self.filter(state=ResaleState.OPEN)


class Resale(models.Model):
    """Hours of a contract that its buyer sells on, whole periods that have not begun.

    With a ``buyer`` it is an offer to that organization alone, at just this price. Without one it
    is offered back: into every auction, at no less than this price, until all of it is sold, it
    is withdrawn, or its time is over. ``quantity_lots`` empty is all that is left in each period.
    What is sold becomes a contract between the new buyer and the reseller; the first contract
    stays as it is.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_resale_id, editable=False
    )
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="resales")
    buyer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="resales_offered"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity_lots = models.BigIntegerField(null=True, help_text="accelerators x 1,000; empty: all")
    price_ticks = models.BigIntegerField(help_text="per accelerator-hour x 1,000")
    state = models.CharField(max_length=16, choices=ResaleState, default=ResaleState.OPEN)
    reason_code = models.CharField(max_length=40, blank=True, db_default="")
    reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True, db_default="")
    actor = models.CharField(max_length=80, help_text="who moved it last")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = ResaleQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["contract"], condition=Q(state="open"), name="resale_open_of_contract"
            )
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ResaleState.values), name="resale_state"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="resale_takes_time"
            ),
            models.CheckConstraint(
                condition=Q(quantity_lots__isnull=True) | Q(quantity_lots__gt=0),
                name="resale_of_something",
            ),
            models.CheckConstraint(condition=Q(price_ticks__gte=0), name="resale_price"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True)
                | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="resale_closed",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="resale_terms",
                exclude=["state", "reason_code", "reason", "actor", "closed_at"],
            ),
            pgtrigger.Protect(name="resale_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id
