"""Money that comes from a bank or goes to one: entered or asked for by one, approved by another."""

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of
from settlement.models.ledger import AccountKind
from settlement.models.transfers import Transfer

REASON_LENGTH_MAX = 200
ACTOR_LENGTH_MAX = 80
REFERENCE_LENGTH_MAX = 64
CODE_LENGTH_MAX = 40


def new_deposit_id() -> str:
    """Return a fresh public id of a deposit."""
    return new_id("dep")


def new_payout_id() -> str:
    """Return a fresh public id of a payout."""
    return new_id("pay")


def person(**options: Any) -> "models.ForeignKey[Any, Any]":
    """Return a column for the person who did something; empty for a program of nobody's."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", **options
    )


def movement() -> "models.OneToOneField[Any, Any]":
    """Return a column for the transfer by which a step was posted."""
    return models.OneToOneField(Transfer, on_delete=models.PROTECT, null=True, related_name="+")


class DepositState(models.TextChoices):
    """Who entered a deposit never approves it."""

    ENTERED = "entered", "entered"
    POSTED = "posted", "posted"
    REFUSED = "refused", "refused"
    REVERSED = "reversed", "reversed"


DEPOSIT_MOVES = moves_of(
    DepositState.values, {"entered": ["posted", "refused"], "posted": ["reversed"]}
)


class DepositQuerySet(models.QuerySet["Deposit"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own deposits; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class Deposit(models.Model):
    """Money that came in from the bank, as an operator entered it; posted once another approves.

    ``transfer`` credits the organization. A deposit that was a mistake is reversed by a transfer
    that names the first.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_deposit_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="deposits"
    )
    amount_micros = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(
        max_length=REFERENCE_LENGTH_MAX, unique=True, help_text="of the bank"
    )
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    state = models.CharField(max_length=16, choices=DepositState, default=DepositState.ENTERED)
    entered_by = person()
    entered_at = models.DateTimeField()
    decided_by = person()
    decided_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(max_length=ACTOR_LENGTH_MAX, help_text="who acted last")
    transfer = movement()

    objects = DepositQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="deposit_of_something"),
            models.CheckConstraint(
                condition=Q(state__in=DepositState.values), name="deposit_state"
            ),
            models.CheckConstraint(
                condition=Q(transfer__isnull=False, state__in=["posted", "reversed"])
                | Q(transfer__isnull=True, state__in=["entered", "refused"]),
                name="deposit_posted_by_a_transfer",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["entered", "refused"])
                | Q(entered_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(entered_by=F("decided_by")),
                name="deposit_seen_by_four_eyes",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="deposit_terms",
                fields=["organization", "amount_micros", "reference", "entered_by", "entered_at"],
            ),
            pgtrigger.Protect(name="deposit_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id


class PayoutState(models.TextChoices):
    """Where a payout stands; one that fails or comes back is undone to the last micro-unit."""

    CREATED = "created", "created"
    SUBMITTED = "submitted", "submitted"
    CONFIRMED = "confirmed", "confirmed"
    FAILED = "failed", "failed"
    RETURNED = "returned", "returned"


PAYOUT_MOVES = moves_of(
    PayoutState.values,
    {
        "created": ["submitted", "failed"],
        "submitted": ["confirmed", "failed", "returned"],
        "confirmed": ["returned"],
    },
)


class PayoutQuerySet(models.QuerySet["Payout"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own payouts; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class Payout(models.Model):
    """Money that an organization asked to be paid out to its bank.

    Each step is a transfer: ``asked`` sets the money aside, ``sent`` is posted when an operator
    who did not ask submits it, ``paid`` when the bank confirms. What failed or came back is
    undone by transfers that name these.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_payout_id, editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payouts")
    source = models.CharField(
        max_length=16,
        choices=[(kind.value, kind.label) for kind in (AccountKind.AVAILABLE, AccountKind.PAYABLE)],
    )
    amount_micros = models.BigIntegerField(help_text="whole minor units of the currency")
    currency = models.CharField(max_length=3)
    holder = models.CharField(max_length=140, help_text="whose bank account it is")
    bank = models.CharField(max_length=140)
    account = models.CharField(max_length=64, help_text="its number")
    state = models.CharField(max_length=16, choices=PayoutState, default=PayoutState.CREATED)
    reason_code = models.CharField(max_length=CODE_LENGTH_MAX, blank=True)
    reason_detail = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(max_length=ACTOR_LENGTH_MAX, help_text="who acted last")
    asked_by = person()
    submitted_by = person()
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="when it failed or came back")
    asked = movement()
    sent = movement()
    paid = movement()

    objects = PayoutQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "-id"], name="payout_of_organization")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="payout_of_something"),
            models.CheckConstraint(condition=Q(state__in=PayoutState.values), name="payout_state"),
            models.CheckConstraint(
                condition=Q(submitted_by__isnull=True)
                | Q(asked_by__isnull=True)
                | ~Q(asked_by=F("submitted_by")),
                name="payout_seen_by_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["failed", "returned"]) & ~Q(reason_code="")
                | Q(state__in=["created", "submitted", "confirmed"], ended_at__isnull=True),
                name="payout_ends_with_a_reason",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="payout_terms",
                fields=[
                    *("organization", "source", "amount_micros", "currency", "holder", "bank"),
                    *("account", "asked_by", "created_at"),
                ],
            ),
            pgtrigger.Protect(name="payout_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def account_end(self) -> str:
        """The last four characters of the bank account's number: enough to know it again."""
        return self.account[-4:]
