from typing import Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.models.api_keys import ApiKey
from accounts.models.callers import Caller
from accounts.models.organizations import Organization
from exchange.foundation.ids import LENGTH_MAX


class AuditRowQuerySet(models.QuerySet["AuditRow"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to what the caller's own organization did; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def about(self, row: models.Model) -> Self:
        """Cut to what was done to one row."""
        return self.filter(object_type=row._meta.label_lower, object_id=object_id_of(row))


class AuditRow(models.Model):
    """Who did what to which object, when and why. Rows are added, never changed or removed."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, null=True, related_name="+")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="+"
    )
    verb = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=max(64, LENGTH_MAX))
    reason = models.TextField(blank=True)

    objects = AuditRowQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_row_object")]
        triggers = [
            pgtrigger.Protect(
                name="audit_row_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_type} {self.object_id}"


def object_id_of(row: models.Model) -> str:
    """Return what a row is called outside: its public id, its code, or else its number."""
    return str(getattr(row, "public_id", None) or getattr(row, "code", None) or row.pk)
