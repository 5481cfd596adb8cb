"""What takes a finalized statement back, whole, so that a corrected one may replace it."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models.functions import Now

from accounts.models import Caller
from exchange.foundation.ids import LENGTH_MAX, new_id
from settlement.models.statements import Statement

REASON_LENGTH_MAX = 1_000


def new_credit_note_id() -> str:
    """Return a fresh public id of a credit note."""
    return new_id("crn")


class CreditNoteQuerySet(models.QuerySet["CreditNote"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to notes on statements that the caller may see."""
        return self.filter(statement__in=Statement.objects.visible_to(caller).values("pk"))


class CreditNote(models.Model):
    """Takes back one statement: its lines, taxes and total, each with the sign turned.

    It moves no money: what was delivered wrongly is settled by the next run and stands on the
    next statement. It corrects the paper, and is never changed or removed itself.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_credit_note_id, editable=False
    )
    statement = models.OneToOneField(
        Statement, on_delete=models.PROTECT, related_name="credit_note"
    )
    series = models.CharField(max_length=16)
    number = models.IntegerField()
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    exact_micros = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    issued_at = models.DateTimeField(help_text="the market's time")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = CreditNoteQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["series", "number"], name="credit_note_number_once")
        ]
        triggers = [
            pgtrigger.Protect(
                name="credit_note_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def name(self) -> str:
        """The number as it is printed, such as ``CB2026-3``."""
        return f"{self.series}-{self.number}"
