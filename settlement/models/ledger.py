"""Who has how much: accounts with stored balances. Only ``settlement.services`` writes them."""

from typing import Self

from django.db import models
from django.db.models import F, Q

from accounts.models import Caller, Organization

REFERENCE_LENGTH_MAX = 64


class AccountKind(models.TextChoices):
    """What the money on an account is."""

    EXTERNAL = "external", "the bank"
    AVAILABLE = "available", "a buyer's money"
    PAYABLE = "payable", "owed to a seller"
    WITHDRAWING = "withdrawing", "asked to be paid out"
    IN_TRANSIT = "in_transit", "on its way to a bank"
    CLEARING = "clearing", "in passing"
    FEE = "fee", "fees"
    CONGESTION_RENT = "congestion_rent", "rent of full links"
    POWER_RENT = "power_rent", "rent of used-up power budgets"
    POLICY = "policy", "domestic share"
    PENALTY = "penalty", "penalties"
    ROUNDING = "rounding", "rounding"
    SUSPENSE = "suspense", "to be explained"


OWNED_KINDS = (AccountKind.AVAILABLE, AccountKind.PAYABLE, AccountKind.WITHDRAWING)


class LedgerAccountQuerySet(models.QuerySet["LedgerAccount"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own accounts; operators and auditors see all."""
        return self if caller.sees_all else self.filter(owner_id=caller.organization_id)


class LedgerAccount(models.Model):
    """Money of one owner (or of the house) and one kind, in micro-units of one currency.

    What a buyer may still spend is ``credits_posted + credit_micros - debits_posted -
    debits_pending``; the database itself refuses to let that fall below zero.
    """

    owner = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        db_index=False,  # the unique constraint begins with it
        related_name="ledger_accounts",
    )
    kind = models.CharField(max_length=16, choices=AccountKind)
    currency = models.CharField(max_length=3)
    reference = models.CharField(
        max_length=REFERENCE_LENGTH_MAX,
        blank=True,
        help_text="the auction or run that a clearing account is for",
    )
    debits_posted = models.BigIntegerField(default=0, db_default=0)
    credits_posted = models.BigIntegerField(default=0, db_default=0)
    debits_pending = models.BigIntegerField(default=0, db_default=0)
    credit_micros = models.BigIntegerField(
        default=0, db_default=0, help_text="what the operator lets it spend beyond what it has"
    )

    objects = LedgerAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "currency", "reference"],
                name="ledger_account_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=~Q(kind="available")
                | Q(
                    debits_posted__lte=F("credits_posted")
                    + F("credit_micros")
                    - F("debits_pending")
                ),
                name="ledger_account_covered",
            ),
            models.CheckConstraint(
                condition=Q(debits_posted__gte=0)
                & Q(credits_posted__gte=0)
                & Q(debits_pending__gte=0)
                & Q(credit_micros__gte=0),
                name="ledger_account_sides",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=AccountKind.values), name="ledger_account_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=OWNED_KINDS, owner__isnull=False)
                | (~Q(kind__in=OWNED_KINDS) & Q(owner__isnull=True)),
                name="ledger_account_owner",
            ),
            models.CheckConstraint(
                condition=Q(kind="clearing") | Q(reference=""),
                name="ledger_account_reference",
            ),
        ]

    def __str__(self) -> str:
        owner = f" of {self.owner_id}" if self.owner_id else ""
        return f"{self.kind}{owner} {self.reference}".rstrip()

    @property
    def balance_micros(self) -> int:
        """What was paid in less what was paid out; held money is part of it."""
        return self.credits_posted - self.debits_posted

    @property
    def available_micros(self) -> int:
        """What may still be spent: what no hold has frozen, and the credit."""
        return self.balance_micros + self.credit_micros - self.debits_pending
