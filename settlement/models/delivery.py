"""What a contract owes hour by hour, and each reckoning of it."""

from typing import Any, Self

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Caller
from exchange.foundation.states import moves_of
from settlement.models.contracts import Contract


class PeriodState(models.TextChoices):
    """Where a delivery period stands (settlement.md, section 4)."""

    OPEN = "open", "open"
    METERED = "metered", "metered"
    PROVISIONAL = "provisional", "provisional"
    DISPUTED = "disputed", "disputed"
    FINAL = "final", "final"


PERIOD_MOVES = moves_of(
    PeriodState.values,
    {
        "open": ["metered"],
        "metered": ["provisional", "disputed"],
        "provisional": ["disputed", "final"],
        "disputed": ["provisional"],
    },
)


class RunKind(models.IntegerChoices):
    """The reckonings of a period, in order; each posts only what changed since the last."""

    PROVISIONAL = 1, "provisional"
    R1 = 2, "R1"
    R2 = 3, "R2"
    FINAL = 4, "final"


def exact_price(**options: Any) -> "models.DecimalField[Any, Any]":
    """Return a column of an exact price: currency per accelerator-hour, 21 decimals."""
    return models.DecimalField(max_digits=40, decimal_places=21, **options)


class DeliveryPeriodQuerySet(models.QuerySet["DeliveryPeriod"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to periods of contracts that the caller may see."""
        if caller.sees_all:
            return self
        mine = caller.organization_id
        return self.filter(Q(contract__buyer_id=mine) | Q(contract__provider_id=mine))


class DeliveryPeriod(models.Model):
    """So many accelerators from one moment until another, at the prices of the auction.

    ``buyer_price`` is the cell's price and the links' for the route taken, ``seller_price`` the
    cell's price less power and with policy; ``congestion_price``, ``power_price`` and
    ``policy_price`` are those parts, so that buyer = seller + congestion + power - policy
    exactly; or less, where one of them gave way so that nobody loses by rounding, which the
    account ``rounding`` bears. ``next_run_*`` say which reckoning comes next and when. A resold
    period lies within the one that it was ``resold_from``, and gets its share of what that got.
    """

    contract = models.ForeignKey(
        Contract, on_delete=models.PROTECT, db_index=False, related_name="periods"
    )
    resold_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, db_index=False, related_name="resold"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    quantity_lots = models.BigIntegerField(help_text="accelerators x 1,000")
    price_ticks = models.BigIntegerField(help_text="the cell's price x 1,000")
    buyer_price = exact_price()
    seller_price = exact_price()
    congestion_price = exact_price(default=0, db_default=0)
    power_price = exact_price(default=0, db_default=0)
    policy_price = exact_price(default=0, db_default=0)
    replacement_price = exact_price(
        null=True, help_text="what the same capacity cost elsewhere, where known"
    )
    state = models.CharField(
        max_length=16, choices=PeriodState, default=PeriodState.OPEN, db_default=PeriodState.OPEN
    )
    next_run_no = models.SmallIntegerField(
        choices=RunKind, default=RunKind.PROVISIONAL, db_default=RunKind.PROVISIONAL
    )
    next_run_at = models.DateTimeField(null=True, help_text="known once the period is over")

    objects = DeliveryPeriodQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contract", "starts_at"], name="delivery_period_once"),
            models.CheckConstraint(
                condition=Q(state__in=PeriodState.values), name="delivery_period_state"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="delivery_period_takes_time"
            ),
            models.CheckConstraint(
                condition=Q(quantity_lots__gt=0), name="delivery_period_of_something"
            ),
            models.CheckConstraint(
                condition=Q(
                    buyer_price__lte=F("seller_price")
                    + F("congestion_price")
                    + F("power_price")
                    - F("policy_price")
                ),
                name="delivery_period_prices_add_up",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_at"], condition=Q(state="open"), name="delivery_period_to_end"
            ),
            models.Index(
                fields=["next_run_at"],
                condition=Q(state__in=["metered", "provisional", "disputed"]),
                name="delivery_period_to_settle",
            ),
            models.Index(
                fields=["resold_from"],
                condition=Q(resold_from__isnull=False),
                name="delivery_period_of_resold",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="delivery_period_terms",
                exclude=["state", "next_run_no", "next_run_at", "replacement_price"],
            ),
            pgtrigger.Protect(name="delivery_period_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id} from {self.starts_at:%Y-%m-%d %H:%M}"


class SettlementRunQuerySet(models.QuerySet["SettlementRun"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to runs of contracts that the caller may see."""
        return self.filter(period__in=DeliveryPeriod.objects.visible_to(caller).values("pk"))


class SettlementRun(models.Model):
    """What was owed for a period as known at one moment. Run n posts what changed since n - 1.

    The amounts are cumulative, in micro-units. Rows are added, never changed or removed;
    ``inputs_sha256`` covers the terms and the meters' figures that they follow from. A run is
    written by whoever holds its period's row locked, with the factor that the claim read of an
    append-only table, so the database does not look both up again.
    """

    period = models.ForeignKey(
        DeliveryPeriod,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="runs",
    )
    run_no = models.SmallIntegerField(choices=RunKind)
    ran_at = models.DateTimeField(help_text="the market's time")
    contracted_ms = models.BigIntegerField(help_text="accelerator-milliseconds")
    provider_ms = models.BigIntegerField(help_text="delivered, by the provider's meters")
    buyer_ms = models.BigIntegerField(null=True, help_text="by the buyer's meters, where any")
    excused_ms = models.BigIntegerField(
        default=0, db_default=0, help_text="of curtailments and notice; costs no penalty"
    )
    delivered_ms = models.BigIntegerField(help_text="what is settled")
    buyer_due_micros = models.BigIntegerField()
    seller_due_micros = models.BigIntegerField()
    congestion_micros = models.BigIntegerField()
    power_micros = models.BigIntegerField()
    policy_micros = models.BigIntegerField(help_text="what the policy adds to the seller's due")
    rounding_micros = models.BigIntegerField()
    buyer_fee_micros = models.BigIntegerField()
    seller_fee_micros = models.BigIntegerField()
    penalty_micros = models.BigIntegerField(help_text="from the provider to the buyer")
    energy_wh = models.BigIntegerField()
    co2_grams = models.BigIntegerField()
    ruled_ms = models.BigIntegerField(null=True, help_text="what a dispute decided, if any did")
    energy_mj = models.BigIntegerField(null=True, help_text="as metered, in millijoules")
    replacement_price = exact_price(null=True, help_text="as it was known")
    grid_factor = models.ForeignKey(
        "settlement.GridFactor",
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    inputs_sha256 = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SettlementRunQuerySet.as_manager()

    class Meta:
        ordering = ["period", "run_no"]
        constraints = [
            models.UniqueConstraint(fields=["period", "run_no"], name="settlement_run_once"),
            models.CheckConstraint(
                condition=Q(delivered_ms__gte=0) & Q(delivered_ms__lte=F("contracted_ms")),
                name="settlement_run_delivered",
            ),
            models.CheckConstraint(
                condition=Q(
                    buyer_due_micros=F("seller_due_micros")
                    + F("congestion_micros")
                    + F("power_micros")
                    - F("policy_micros")
                    + F("rounding_micros")
                ),
                name="settlement_run_balances",
            ),
        ]
        indexes = [BrinIndex(fields=["ran_at"], name="settlement_run_ran_at")]
        triggers = [
            pgtrigger.Protect(
                name="settlement_run_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"run {self.run_no} of period {self.period_id}"
