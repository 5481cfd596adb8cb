"""What moved between accounts: rows that are only ever added, in batches that form a chain."""

import uuid
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q

from accounts.models import Caller
from settlement.models.holds import Hold
from settlement.models.ledger import LedgerAccount

BATCH_KEY_LENGTH_MAX = 128
TRANSFER_IDS = uuid.UUID("8d0b0f0e-2f4b-5f0c-9d63-6c1b6f3d9a51")  # namespace of business keys
_append_only = pgtrigger.Update | pgtrigger.Delete


class TransferCode(models.IntegerChoices):
    """Why the money moved."""

    DEPOSIT = 1, "deposit"
    WITHDRAWAL = 2, "withdrawal"
    CHARGE = 10, "charge for delivered hours"
    EARNING = 20, "earning for delivered hours"
    BUYER_FEE = 30, "fee of the buyer"
    SELLER_FEE = 31, "fee of the seller"
    CONGESTION_RENT = 40, "rent of a full link"
    POWER_RENT = 41, "rent of a used-up power budget"
    POLICY = 42, "domestic share"
    PENALTY = 50, "penalty for a shortfall"
    CREDIT = 51, "credit for a shortfall"
    COLLATERAL = 52, "collateral used for a shortfall"
    ROUNDING = 60, "rounding"
    REVERSAL = 70, "reversal of a mistake"


class Batch(models.Model):
    """Transfers posted together. Each batch hashes its content with the one before it.

    ``content_sha256`` covers the batch's transfers in order of id, ``sha256`` that together
    with the batch's key, its time and the previous batch's ``sha256``.
    """

    key = models.CharField(max_length=BATCH_KEY_LENGTH_MAX)
    previous = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="next"
    )
    transfers_count = models.IntegerField()
    amount_micros = models.BigIntegerField()
    content_sha256 = models.BinaryField(max_length=32)
    sha256 = models.BinaryField(max_length=32)
    posted_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.UniqueConstraint(fields=["key"], name="batch_once"),
            models.UniqueConstraint(
                fields=["previous"],
                name="batch_chain_has_one_start",
                nulls_distinct=False,
                condition=Q(previous__isnull=True),
            ),
        ]
        triggers = [pgtrigger.Protect(name="batch_append_only", operation=_append_only)]

    def __str__(self) -> str:
        return self.key


class TransferQuerySet(models.QuerySet["Transfer"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to transfers from or to the caller's own accounts; operators and auditors see all."""
        if caller.sees_all:
            return self
        own = LedgerAccount.objects.visible_to(caller).values("pk")
        return self.filter(Q(debit__in=own) | Q(credit__in=own))


class Transfer(models.Model):
    """So much went from one account (debit) to another (credit). It balances by construction.

    The id is the uuid5 of the business key, so a retry is the same row. Rows are never changed
    or removed; a mistake is undone by a transfer that names the one it reverses. The keys to
    other tables are checked by the posting of a batch, for all its rows at once.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    batch = models.ForeignKey(
        Batch, on_delete=models.PROTECT, db_constraint=False, related_name="transfers"
    )
    debit = models.ForeignKey(
        LedgerAccount,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="debits",
    )
    credit = models.ForeignKey(
        LedgerAccount,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="credits",
    )
    amount_micros = models.BigIntegerField()
    code = models.SmallIntegerField(choices=TransferCode)
    hold = models.ForeignKey(
        Hold,
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="captures",
    )
    period = models.ForeignKey(
        "settlement.DeliveryPeriod",
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="transfers",
    )
    run_no = models.SmallIntegerField(null=True)
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, db_index=False, related_name="reversed_by"
    )
    event_at = models.DateTimeField()

    objects = TransferQuerySet.as_manager()

    class Meta:
        ordering = ["-batch_id", "id"]
        indexes = [
            models.Index(fields=["debit", "-event_at"], name="transfer_of_debit"),
            models.Index(fields=["credit", "-event_at"], name="transfer_of_credit"),
            models.Index(fields=["hold"], condition=Q(hold__isnull=False), name="transfer_of_hold"),
            models.Index(
                fields=["period"], condition=Q(period__isnull=False), name="transfer_of_period"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="transfer_reversed_once",
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0), name="transfer_moves_something"
            ),
            models.CheckConstraint(
                condition=~Q(debit=F("credit")), name="transfer_between_two_accounts"
            ),
        ]
        triggers = [pgtrigger.Protect(name="transfer_append_only", operation=_append_only)]

    def __str__(self) -> str:
        return f"{self.get_code_display()} {self.id}"
