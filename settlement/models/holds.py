"""Money that is frozen for a bid, and each freeing of it."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Caller
from settlement.models.ledger import LedgerAccount
from settlement.models.projects import Project

KEY_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200


class HoldQuerySet(models.QuerySet["Hold"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to holds on the caller's own money; operators and auditors see all."""
        return self if caller.sees_all else self.filter(account__owner_id=caller.organization_id)

    def open(self) -> Self:
        """Cut to holds that still freeze something."""
        return self.filter(amount_micros__gt=F("captured_micros") + F("released_micros"))


class Hold(models.Model):
    """The greatest cost of a bid, frozen on its buyer's money until captured or released.

    ``key`` is the caller's name for it (a bid's public id). The amount never changes: it is
    captured by transfers that name the hold, and released by rows of HoldRelease.
    """

    key = models.CharField(max_length=KEY_LENGTH_MAX)
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="holds")
    amount_micros = models.BigIntegerField()
    project = models.ForeignKey(
        Project,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # most bids name none; see indexes
        related_name="holds",
        help_text="whose budget it reserves",
    )
    captured_micros = models.BigIntegerField(default=0, db_default=0)
    released_micros = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="hold_once"),
            models.CheckConstraint(
                condition=Q(amount_micros__gte=F("captured_micros") + F("released_micros")),
                name="hold_not_overdrawn",
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gte=0)
                & Q(captured_micros__gte=0)
                & Q(released_micros__gte=0),
                name="hold_parts",
            ),
        ]
        indexes = [
            models.Index(
                fields=["project"],
                name="hold_of_project",
                condition=Q(project__isnull=False),
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="hold_terms",
                fields=["key", "account", "amount_micros", "project", "created_at"],
            ),
            pgtrigger.Protect(name="hold_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def open_micros(self) -> int:
        """What is still frozen."""
        return self.amount_micros - self.captured_micros - self.released_micros


class HoldReleaseQuerySet(models.QuerySet["HoldRelease"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to releases of the caller's own money; operators and auditors see all."""
        return (
            self if caller.sees_all else self.filter(hold__account__owner_id=caller.organization_id)
        )


class HoldRelease(models.Model):
    """A part of a hold was freed, and why. Rows are added, never changed or removed."""

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="releases")
    amount_micros = models.BigIntegerField()
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    released_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = HoldReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="hold_release_frees_something"
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="hold_release_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.hold_id}: {self.reason}"
