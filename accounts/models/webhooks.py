"""Where an organization wants to be told of events, and how each telling went."""

from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.callers import Caller
from accounts.models.events import OutboxEvent
from accounts.models.organizations import Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of

URL_LENGTH_MAX = 2_000
TYPES_MAX = 32
ANSWER_LENGTH_MAX = 1_000


def new_endpoint_id() -> str:
    """Return a fresh public id of an endpoint."""
    return new_id("whe")


def new_delivery_id() -> str:
    """Return a fresh public id of a delivery."""
    return new_id("whd")


class EndpointState(models.TextChoices):
    """Whether an endpoint is told of events."""

    ENABLED = "enabled", "enabled"
    DISABLED = "disabled", "disabled"
    REMOVED = "removed", "removed"


ENDPOINT_MOVES = moves_of(
    EndpointState.values,
    {"enabled": ["disabled", "removed"], "disabled": ["enabled", "removed"]},
)


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own endpoints; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)

    def present(self) -> Self:
        """Cut to those that were not removed."""
        return self.exclude(state=EndpointState.REMOVED)


class WebhookEndpoint(models.Model):
    """An address that takes events by POST, and the secrets that they are signed with.

    The secrets are sealed (accounts.services.sealing). After a rotation the old one signs beside
    the new one until ``old_secret_until``. ``busy_until`` is the lease of the worker that is
    delivering to it, ``paused_until`` the rest that a failure earned.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_endpoint_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="webhook_endpoints"
    )
    url = models.CharField(max_length=URL_LENGTH_MAX)
    description = models.CharField(max_length=100, blank=True)
    event_types = ArrayField(
        models.CharField(max_length=64), size=TYPES_MAX, default=list, help_text="empty: all"
    )
    state = models.CharField(max_length=16, choices=EndpointState, default=EndpointState.ENABLED)
    reason = models.CharField(max_length=200, blank=True, help_text="why it is disabled")
    sealed_secret = models.BinaryField(editable=False)
    sealed_old_secret = models.BinaryField(null=True, editable=False)
    old_secret_until = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, help_text="one after another, until now")
    paused_until = models.DateTimeField(null=True, editable=False)
    busy_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["organization"], condition=Q(state="enabled"), name="webhook_endpoint_live"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=EndpointState.values), name="webhook_endpoint_state"
            )
        ]

    def __str__(self) -> str:
        return self.url


class DeliveryState(models.TextChoices):
    """What became of telling one endpoint of one event."""

    PENDING = "pending", "pending"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "failed"


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to deliveries to the caller's own endpoints; operators and auditors see all."""
        if caller.sees_all:
            return self
        return self.filter(endpoint__organization_id=caller.organization_id)


class WebhookDelivery(models.Model):
    """One event for one endpoint. ``step`` is the next row of the schedule of retries."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_delivery_id, editable=False
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )
    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=16, choices=DeliveryState, default=DeliveryState.PENDING)
    step = models.PositiveSmallIntegerField(default=0, db_default=0)
    attempts = models.PositiveIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=Q(state="pending"),
                name="webhook_delivery_waiting",
            ),
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state__in=DeliveryState.values), name="webhook_delivery_state"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Outcome(models.TextChoices):
    """How one attempt ended."""

    DELIVERED = "delivered", "delivered"
    ERROR_STATUS = "error_status", "the receiver answered with an error"
    REDIRECTED = "redirected", "the receiver sent us elsewhere; redirects are not followed"
    GONE = "gone", "the receiver wants no more (410)"
    TIMED_OUT = "timed_out", "the receiver took too long"
    ADDRESS_REFUSED = "address_refused", "the address is private, and is not asked"
    TLS_FAILED = "tls_failed", "the certificate or the handshake failed"
    NOT_CONNECTED = "not_connected", "no connection, or it broke"


class WebhookAttemptQuerySet(models.QuerySet["WebhookAttempt"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to attempts at the caller's own endpoints; operators and auditors see all."""
        if caller.sees_all:
            return self
        return self.filter(delivery__endpoint__organization_id=caller.organization_id)


class WebhookAttempt(models.Model):
    """One request to a receiver. Rows are added, never changed."""

    delivery = models.ForeignKey(
        WebhookDelivery, on_delete=models.CASCADE, related_name="tries", db_index=True
    )
    number = models.PositiveIntegerField()
    attempted_at = models.DateTimeField(db_default=Now(), editable=False)
    milliseconds = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    status = models.PositiveSmallIntegerField(null=True, help_text="of HTTP")
    answer = models.CharField(
        max_length=ANSWER_LENGTH_MAX, blank=True, help_text="how the receiver's answer began"
    )

    objects = WebhookAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        triggers = [pgtrigger.Protect(name="webhook_attempt_unchanged", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.number}: {self.outcome}"
