from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models.callers import Caller
from accounts.models.organizations import Organization
from accounts.models.roles import Scope
from exchange.foundation.ids import LENGTH_MAX, new_id

SCOPES_MAX = 32


def new_key_id() -> str:
    """Return a fresh public id of a key: the part of the token that is no secret."""
    return new_id("key")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to keys of the caller's organization; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def live(self) -> Self:
        """Cut to keys that open doors at this moment of the wall clock."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=Now())).filter(
            revoked_at=None
        )


class ApiKey(models.Model):
    """A program acts for an organization. Its secret is shown once and kept only as an HMAC."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_key_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="api_keys"
    )
    name = models.CharField(max_length=100)
    secret_hmac = models.BinaryField(max_length=32, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope), size=SCOPES_MAX)
    meter = models.CharField(
        max_length=64, blank=True, help_text="the meter that reports with this key"
    )
    rate = models.CharField(
        max_length=32, blank=True, help_text="such as 600/minute; empty: the house's own"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"

    def is_live(self, at: datetime | None = None) -> bool:
        """Return whether the key opens doors at this moment of the wall clock."""
        at = at or timezone.now()
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)
