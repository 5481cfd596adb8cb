"""What members are told of, in the portal and by e-mail, and what they chose not to be."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models.callers import Caller
from accounts.models.events import EventType, OutboxEvent
from accounts.models.organizations import Membership

NOTICED = (
    EventType.AUCTION_DECIDED,
    EventType.CONTRACT_SHORTFALL,
    EventType.DISPUTE_MOVED,
    EventType.RESALE_MOVED,
    EventType.STATEMENT_FINALIZED,
    EventType.BUDGET_ALERT,
    EventType.BALANCE_LOW,
    EventType.DEPOSIT_POSTED,
    EventType.PAYOUT_MOVED,
)
"""The types of events that members are told of; each can be switched off."""


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the notices of the person who asks, for the organization it acts for."""
        return self.filter(
            membership__user_id=caller.user_id, membership__organization_id=caller.organization_id
        )

    def unread(self) -> Self:
        """Cut to those that the bell counts."""
        return self.filter(shown=True, read_at=None)


class Notice(models.Model):
    """One event, as one member is told of it."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    event = models.ForeignKey(OutboxEvent, on_delete=models.PROTECT, related_name="+")
    shown = models.BooleanField(help_text="in the portal")
    mails = models.BooleanField(help_text="by e-mail")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["membership", "event"], name="notice_once")]
        indexes = [
            models.Index(fields=["membership", "-id"], name="notice_list"),
            models.Index(
                fields=["membership"],
                condition=Q(shown=True, read_at=None),
                name="notice_unread",
            ),
            models.Index(
                fields=["id"], condition=Q(mails=True, mailed_at=None), name="notice_to_mail"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.event_id}"


class NoticeChoiceQuerySet(models.QuerySet["NoticeChoice"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the choices of the person who asks."""
        return self.filter(
            membership__user_id=caller.user_id, membership__organization_id=caller.organization_id
        )


class NoticeChoice(models.Model):
    """How a member wants to be told of one type; without a row: in both ways."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="notice_choices"
    )
    type = models.CharField(max_length=64, choices=EventType)
    shown = models.BooleanField(default=True)
    mails = models.BooleanField(default=True)

    objects = NoticeChoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "type"], name="notice_choice_once")
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.type}"
