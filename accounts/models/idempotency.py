from typing import Self

from django.db import models
from django.db.models.functions import Now

from accounts.models.api_keys import ApiKey
from accounts.models.callers import Caller
from accounts.models.organizations import Organization
from accounts.models.users import User
from exchange.foundation.ids import LENGTH_MAX

KEY_LENGTH_MAX = 128
SEAL_MARK = b"\x00"  # how a kept answer begins that is sealed; no JSON does


class FormPostQuerySet(models.QuerySet["FormPost"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to what the person who asks has sent."""
        return self.filter(user_id=caller.user_id)


class FormPost(models.Model):
    """A form of the portal that somebody sent, by the token that was in it, and what it made."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    token = models.CharField(max_length=64)
    made = models.CharField(max_length=LENGTH_MAX, help_text="the public id of what it made")
    created_at = models.DateTimeField(db_default=Now(), db_index=True, editable=False)

    objects = FormPostQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "token"], name="form_post_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.made}"


class IdempotencyRecordQuerySet(models.QuerySet["IdempotencyRecord"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's organization; nobody replays another's answer."""
        return self.filter(organization_id=caller.organization_id)


class IdempotencyRecord(models.Model):
    """The first answer to a creating request, kept so that a repeat creates nothing."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    api_key = models.ForeignKey(ApiKey, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=KEY_LENGTH_MAX)
    request_hash = models.BinaryField(max_length=32)  # SHA-256 of verb, path and body
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()  # long ones packed, secret ones sealed: accounts.web.idempotency
    created_at = models.DateTimeField(db_default=Now(), db_index=True, editable=False)

    objects = IdempotencyRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "key"], name="idempotency_key_once")
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}: {self.key}"
