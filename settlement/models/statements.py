"""What an organization is told it owes or is owed for a month."""

from typing import Self
from zoneinfo import ZoneInfo

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of
from settlement.models.delivery import DeliveryPeriod, RunKind


def new_statement_id() -> str:
    """Return a fresh public id of a statement."""
    return new_id("stm")


class StatementState(models.TextChoices):
    """A statement is computed afresh until it is finalized; then it stays."""

    DRAFT = "draft", "draft"
    FINALIZED = "finalized", "finalized"


STATEMENT_MOVES = moves_of(StatementState.values, {"draft": ["finalized"]})


class Side(models.TextChoices):
    """Whether the organization buys or provides on this statement."""

    BUYER = "buyer", "as a buyer"
    PROVIDER = "provider", "as a provider"


class LineKind(models.TextChoices):
    """What a line is about; each kind belongs to one side."""

    USAGE = "usage", "delivered hours"
    BUYER_FEE = "buyer_fee", "fee"
    CREDIT = "credit", "credit for a shortfall"
    EARNING = "earning", "delivered hours"
    SELLER_FEE = "seller_fee", "fee"
    PENALTY = "penalty", "penalty for a shortfall"


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own statements; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class Statement(models.Model):
    """One organization, one side, one month, one currency.

    A buyer's total is what it owes, a provider's what it is owed. A draft's lines are computed
    when asked for; finalizing writes them, the total and a number without gaps, at once.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_statement_id, editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="statements"
    )
    side = models.CharField(max_length=16, choices=Side)
    currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(
        max_length=16,
        choices=StatementState,
        default=StatementState.DRAFT,
        db_default=StatementState.DRAFT,
    )
    series = models.CharField(max_length=16)
    number = models.IntegerField(null=True)
    exact_micros = models.BigIntegerField(null=True, help_text="sum of the lines, exactly")
    total_minor = models.BigIntegerField(null=True, help_text="rounded once, in minor units")
    minor_digits = models.SmallIntegerField(default=2, db_default=2)
    lines_count = models.IntegerField(null=True)
    energy_wh = models.BigIntegerField(null=True)
    co2_grams = models.BigIntegerField(null=True)
    party_name = models.CharField(max_length=300, blank=True, help_text="as it was then")
    party_country = models.CharField(max_length=2, blank=True, help_text="as it was then")
    issuer_name = models.CharField(max_length=200, blank=True, help_text="as it was then")
    revision = models.SmallIntegerField(default=0, db_default=0)
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )
    finalized_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "side", "currency", "starts_at", "revision"],
                name="statement_once",
            ),
            models.UniqueConstraint(fields=["series", "number"], name="statement_number_once"),
            models.CheckConstraint(
                condition=Q(
                    state="draft",
                    number__isnull=True,
                    total_minor__isnull=True,
                    exact_micros__isnull=True,
                    finalized_at__isnull=True,
                )
                | Q(
                    state="finalized",
                    number__isnull=False,
                    total_minor__isnull=False,
                    exact_micros__isnull=False,
                    finalized_at__isnull=False,
                ),
                name="statement_numbered_once_final",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="statement_takes_time"
            ),
            models.CheckConstraint(
                condition=Q(revision=0, replaces__isnull=True)
                | Q(revision__gt=0, replaces__isnull=False),
                name="statement_revision_replaces",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="statement_final_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state="finalized"),
            ),
            pgtrigger.Protect(name="statement_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def name(self) -> str:
        """The number as it is printed, such as ``B2026-17``; empty for a draft."""
        return "" if self.number is None else f"{self.series}-{self.number}"

    @property
    def month(self) -> str:
        """The month by the market's clock, such as ``2026-11``."""
        return f"{self.starts_at.astimezone(ZoneInfo(settings.MARKET_TIME_ZONE)):%Y-%m}"


class StatementLineQuerySet(models.QuerySet["StatementLine"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to lines of statements that the caller may see."""
        return self.filter(statement__in=Statement.objects.visible_to(caller).values("pk"))


class StatementLine(models.Model):
    """What one run of one period changed, on paper. Rows are added, never changed or removed."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    line_no = models.IntegerField()
    kind = models.CharField(max_length=16, choices=LineKind)
    period = models.ForeignKey(DeliveryPeriod, on_delete=models.PROTECT, related_name="lines")
    run_no = models.SmallIntegerField(choices=RunKind)
    delivered_ms = models.BigIntegerField(help_text="what this run added to what was delivered")
    exact_micros = models.BigIntegerField()
    billed_minor = models.BigIntegerField()
    energy_wh = models.BigIntegerField(default=0, db_default=0, help_text="PUE included")
    co2_grams = models.BigIntegerField(default=0, db_default=0)

    objects = StatementLineQuerySet.as_manager()

    class Meta:
        ordering = ["statement", "line_no"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "line_no"], name="statement_line_no"),
            models.UniqueConstraint(
                fields=["period", "run_no", "kind", "statement"], name="statement_line_once"
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="statement_line_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.statement_id}/{self.line_no}"
