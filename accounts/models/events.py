"""What happened, written in the database transaction in which it happened: the outbox."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.callers import Caller
from accounts.models.organizations import Organization
from exchange.foundation.ids import LENGTH_MAX, new_id


def new_event_id() -> str:
    """Return a fresh public id of an event; a receiver of webhooks knows repeats by it."""
    return new_id("evt")


class EventType(models.TextChoices):
    """What can be told; docs/webhooks.md says what each one carries."""

    AUCTION_PUBLISHED = "auction.published", "an auction was published"
    AUCTION_DECIDED = "auction.decided", "what an auction brought you"
    BID_DECIDED = "bid.decided", "the result of a bid"
    CONTRACT_OPENED = "contract.opened", "a contract was made"
    CONTRACT_MOVED = "contract.moved", "a contract moved on"
    CONTRACT_SHORTFALL = "contract.shortfall", "less was delivered than contracted"
    RESALE_MOVED = "resale.moved", "hours were put on resale, or a resale moved on"
    PERIOD_SETTLED = "period.settled", "a delivery period was settled"
    DISPUTE_MOVED = "dispute.moved", "a dispute was opened or moved on"
    STATEMENT_FINALIZED = "statement.finalized", "a statement was finalized"
    DEPOSIT_POSTED = "deposit.posted", "a deposit arrived"
    BUDGET_ALERT = "budget.alert", "a budget is nearly used up"
    BALANCE_LOW = "balance.low", "there is little free money"
    PAYOUT_MOVED = "payout.moved", "a payout moved on"
    WEBHOOK_TEST = "webhook.test", "a test of an endpoint"


FIREHOSE = frozenset(
    {
        EventType.BID_DECIDED,
        EventType.CONTRACT_OPENED,
        EventType.CONTRACT_MOVED,
        EventType.PERIOD_SETTLED,
    }
)
"""Many at a time: written only for organizations with an endpoint that listens for them."""


class OutboxEventQuerySet(models.QuerySet["OutboxEvent"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own events and those for everybody; operators and auditors: all."""
        if caller.sees_all:
            return self
        return self.filter(Q(organization_id=caller.organization_id) | Q(organization_id=None))

    def unspread(self) -> Self:
        """Cut to events that nobody was told of yet: the queue is this table."""
        return self.filter(spread_at=None)


class OutboxEvent(models.Model):
    """One thing that happened, as one organization is told of it; without one: as everybody is."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_event_id, editable=False
    )
    type = models.CharField(max_length=64, choices=EventType)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="+"
    )
    about = models.CharField(max_length=LENGTH_MAX, help_text="the public id of what it is about")
    data = models.JSONField()
    happened_at = models.DateTimeField(help_text="by the market's clock")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    spread_at = models.DateTimeField(null=True, help_text="when deliveries and notices were made")

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(spread_at=None), name="outbox_event_waiting"),
            models.Index(fields=["written_at"], name="outbox_event_age"),
        ]
        triggers = [pgtrigger.ReadOnly(name="outbox_event_facts", exclude=["spread_at"])]

    def __str__(self) -> str:
        return f"{self.type} {self.about}"
