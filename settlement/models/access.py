"""How a buyer reaches the machines: the provider's note, and who read it."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import Caller, Organization
from settlement.models.contracts import Contract

SIGNATURE_LENGTH_MAX = 80


class AccessNoteQuerySet(models.QuerySet["AccessNote"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to notes on contracts that the caller may see; the text is another matter."""
        return self.filter(contract__in=Contract.objects.visible_to(caller).values("pk"))


class AccessNote(models.Model):
    """An opaque text from the provider to the buyer's traders: endpoint, credentials, and so on.

    It is kept sealed (accounts.services.sealing); writing it again replaces it, as ``version``
    counts.
    """

    contract = models.OneToOneField(Contract, on_delete=models.PROTECT, related_name="access_note")
    version = models.PositiveIntegerField(default=1)
    sealed = models.BinaryField(editable=False)
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=SIGNATURE_LENGTH_MAX)

    objects = AccessNoteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(version__gt=0), name="access_note_version")
        ]

    def __str__(self) -> str:
        return f"note {self.version} of contract {self.contract_id}"


class AccessNoteReadQuerySet(models.QuerySet["AccessNoteRead"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to readings of notes on contracts that the caller may see."""
        return self.filter(note__contract__in=Contract.objects.visible_to(caller).values("pk"))


class AccessNoteRead(models.Model):
    """Somebody was shown a note. Rows are added, never changed or removed."""

    note = models.ForeignKey(AccessNote, on_delete=models.PROTECT, related_name="reads")
    version = models.PositiveIntegerField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    reader = models.CharField(max_length=SIGNATURE_LENGTH_MAX)
    reader_name = models.CharField(max_length=254, help_text="the person, or the key's name")
    read_at = models.DateTimeField()

    objects = AccessNoteReadQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        triggers = [
            pgtrigger.Protect(
                name="access_note_read_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return f"{self.reader} at {self.read_at}"
