"""The duty that follows from the fills of one bid at one site on one accelerator."""

from typing import Self

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of

CODE_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200
NOTICE_MINUTES = 24 * 60


def new_contract_id() -> str:
    """Return a fresh public id of a contract."""
    return new_id("ctr")


class ContractState(models.TextChoices):
    """Where a contract stands (settlement.md, section 2)."""

    SCHEDULED = "scheduled", "scheduled"
    PROVISIONING = "provisioning", "provisioning"
    ACTIVE = "active", "active"
    DEGRADED = "degraded", "degraded"
    CURTAILED = "curtailed", "curtailed"
    RECLAIMING = "reclaiming", "reclaiming"
    DEFAULTED = "defaulted", "defaulted"
    ENDED = "ended", "ended"


CONTRACT_MOVES = moves_of(
    ContractState.values,
    {
        # Resold hours end before they begin where the contract that they come from is over.
        "scheduled": ["provisioning", "defaulted", "ended"],
        "provisioning": ["active", "defaulted", "ended"],
        "active": ["degraded", "reclaiming", "curtailed", "defaulted", "ended"],
        # Silence of a meter never ends a contract, but its time may run out meanwhile.
        "degraded": ["active", "reclaiming", "curtailed", "defaulted", "ended"],
        "curtailed": ["active", "defaulted", "ended"],
        "reclaiming": ["defaulted", "ended"],
    },
)


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to contracts that the caller buys or provides; operators and auditors see all."""
        if caller.sees_all:
            return self
        mine = caller.organization_id
        return self.filter(Q(buyer_id=mine) | Q(provider_id=mine))


class Contract(models.Model):
    """Who delivers what to whom, where and when, on the terms as they were when it was made.

    It names its auction and bid as texts and the site and the chip with their figures: it has
    no key into the catalogue. Quantities and prices stand on its delivery periods. One that
    followed from a ``resale`` has the reseller for its provider, and is delivered under the
    contract that was resold.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_contract_id, editable=False
    )
    key = models.UUIDField(unique=True, editable=False)
    buyer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="contracts_bought"
    )
    provider = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="contracts_provided"
    )
    auction_id = models.CharField(max_length=LENGTH_MAX)
    bid_id = models.CharField(max_length=LENGTH_MAX)
    hold_key = models.CharField(max_length=CODE_LENGTH_MAX)
    resale = models.ForeignKey(
        "settlement.Resale", on_delete=models.PROTECT, null=True, related_name="contracts"
    )
    site_code = models.CharField(max_length=CODE_LENGTH_MAX)
    region_code = models.CharField(max_length=CODE_LENGTH_MAX)
    accelerator_code = models.CharField(max_length=CODE_LENGTH_MAX)
    accelerator_kind = models.CharField(max_length=3, choices=[("gpu", "GPU"), ("npu", "NPU")])
    domestic = models.BooleanField()
    tflops_micros = models.BigIntegerField(help_text="FP16 dense TFLOPS x 1,000,000")
    watts_micros = models.BigIntegerField(help_text="watts x 1,000,000")
    pue_micros = models.BigIntegerField(help_text="PUE x 1,000,000")
    renewable_micros = models.BigIntegerField(help_text="renewable share x 1,000,000")
    currency = models.CharField(max_length=3)
    tolerance_ppm = models.IntegerField(help_text="of the larger of two meters' figures")
    penalty_factor_ppm = models.IntegerField(help_text="of the price, for each hour not delivered")
    dispute_days = models.IntegerField()
    run_delays_minutes = ArrayField(
        models.IntegerField(), help_text="after the period's end: provisional, R1, R2"
    )
    buyer_fee_ppm = models.IntegerField()
    seller_fee_ppm = models.IntegerField()
    state = models.CharField(max_length=16, choices=ContractState, default=ContractState.SCHEDULED)
    notice_minutes = models.IntegerField(
        default=NOTICE_MINUTES,
        db_default=NOTICE_MINUTES,
        help_text="before the provider may take it back without a penalty",
    )
    reason_code = models.CharField(max_length=40, blank=True, db_default="")
    reason = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(
        max_length=80, blank=True, db_default="", help_text="who moved it last"
    )
    provider_confirmed_at = models.DateTimeField(null=True, help_text="that it is ready")
    buyer_confirmed_at = models.DateTimeField(null=True, help_text="that it can be used")
    reclaim_at = models.DateTimeField(null=True, help_text="when the notice runs out")
    starts_at = models.DateTimeField(help_text="as planned")
    ends_at = models.DateTimeField(help_text="as planned")
    started_at = models.DateTimeField(null=True, help_text="as it was")
    ended_at = models.DateTimeField(null=True, help_text="as it was")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ContractQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["auction_id"], name="contract_of_auction"),
            models.Index(fields=["bid_id"], name="contract_of_bid"),
            models.Index(fields=["buyer", "-id"], name="contract_of_buyer"),
            models.Index(fields=["provider", "-id"], name="contract_of_provider"),
            models.Index(
                fields=["state", "starts_at"],
                condition=Q(ended_at__isnull=True),
                name="contract_under_way",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ContractState.values), name="contract_state"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="contract_takes_time"
            ),
            models.CheckConstraint(
                condition=Q(tolerance_ppm__gte=0)
                & Q(penalty_factor_ppm__gte=0)
                & Q(dispute_days__gte=0)
                & Q(buyer_fee_ppm__gte=0)
                & Q(seller_fee_ppm__gte=0)
                & Q(notice_minutes__gte=0),
                name="contract_terms_not_negative",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="contract_terms",
                exclude=[
                    *("state", "reason_code", "reason", "actor", "started_at", "ended_at"),
                    *("provider_confirmed_at", "buyer_confirmed_at", "reclaim_at"),
                ],
            ),
            pgtrigger.Protect(name="contract_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id


class ContractMoveQuerySet(models.QuerySet["ContractMove"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to moves of contracts that the caller may see."""
        return self.filter(contract__in=Contract.objects.visible_to(caller).values("pk"))


class ContractMove(models.Model):
    """A contract went from one state to the next. Rows are added, never changed or removed."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="moves")
    was = models.CharField(max_length=16, choices=ContractState)
    state = models.CharField(max_length=16, choices=ContractState)
    reason_code = models.CharField(max_length=40, db_default="")
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    actor = models.CharField(max_length=80, db_default="")
    planned_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField()

    objects = ContractMoveQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        triggers = [
            pgtrigger.Protect(
                name="contract_move_append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.contract_id}: {self.was} -> {self.state}"


class ExcusedOutageQuerySet(models.QuerySet["ExcusedOutage"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to outages of contracts that the caller may see."""
        return self.filter(contract__in=Contract.objects.visible_to(caller).values("pk"))


class ExcusedOutage(models.Model):
    """A time in which not delivering costs no penalty; the buyer pays for what it got alone.

    The operator curtailed the contract (maintenance, power), or the provider reclaimed it with
    the notice of its terms. ``ends_at`` is empty while nobody knows.
    """

    class Cause(models.TextChoices):
        MAINTENANCE = "maintenance", "maintenance"
        POWER = "power", "shortage of power"
        RECLAIMED = "reclaimed", "reclaimed with notice"

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="excused_outages")
    cause = models.CharField(max_length=16, choices=Cause)
    detail = models.CharField(max_length=REASON_LENGTH_MAX)
    actor = models.CharField(max_length=80)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ExcusedOutageQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="excused_outage_lasts",
            ),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(ends_at__isnull=True),
                name="excused_outage_one_open",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="excused_outage_content", exclude=["ends_at"]),
            pgtrigger.Protect(name="excused_outage_stays", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id}: {self.cause}"
