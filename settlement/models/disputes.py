"""Objections to what is to be settled for a period, and what became of them."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from exchange.foundation.states import moves_of
from settlement.models.delivery import DeliveryPeriod
from settlement.models.metering import Device, Meter, Party

REASON_LENGTH_MAX = 200


def new_dispute_id() -> str:
    """Return a fresh public id of a dispute."""
    return new_id("dsp")


class DisputeState(models.TextChoices):
    """Where a dispute stands (settlement.md, section 4)."""

    OPEN = "open", "open"
    EVIDENCE = "evidence", "evidence"
    UPHELD = "upheld", "upheld"
    PARTIAL = "partial", "partial"
    REJECTED = "rejected", "rejected"
    WITHDRAWN = "withdrawn", "withdrawn"


UNDECIDED = ("open", "evidence")
_ENDS = ["upheld", "partial", "rejected", "withdrawn"]
DISPUTE_MOVES = moves_of(DisputeState.values, {"open": ["evidence", *_ENDS], "evidence": _ENDS})


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to disputes about contracts that the caller may see."""
        return self.filter(period__in=DeliveryPeriod.objects.visible_to(caller).values("pk"))

    def undecided(self) -> Self:
        """Cut to those that still keep a period from being final."""
        return self.filter(state__in=UNDECIDED)


class Dispute(models.Model):
    """Somebody says that another amount was delivered. While it is undecided nothing is final.

    ``claimed_ms`` is what should be settled if it is upheld. ``opened_by`` is empty where the
    meters disagreed and the exchange opened it. ``ruled_ms`` is what an upheld or partly upheld
    dispute decided; later runs settle on it.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_dispute_id, editable=False
    )
    period = models.ForeignKey(DeliveryPeriod, on_delete=models.PROTECT, related_name="disputes")
    opened_by = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="+"
    )
    state = models.CharField(max_length=16, choices=DisputeState, default=DisputeState.OPEN)
    claimed_ms = models.BigIntegerField()
    provider_ms = models.BigIntegerField(help_text="by the provider's meters, when it was opened")
    buyer_ms = models.BigIntegerField(null=True, help_text="by the buyer's, when it was opened")
    ruled_ms = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=REASON_LENGTH_MAX)
    decision = models.CharField(max_length=REASON_LENGTH_MAX, blank=True)
    actor = models.CharField(
        max_length=80, blank=True, db_default="", help_text="who moved it last; empty: the meters"
    )
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["period"],
                condition=Q(state__in=UNDECIDED),
                name="dispute_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNDECIDED, decided_at__isnull=True)
                | Q(state__in=_ENDS, decided_at__isnull=False),
                name="dispute_decided",
            ),
            models.CheckConstraint(
                condition=Q(ruled_ms__isnull=False, state__in=["upheld", "partial"])
                | (Q(ruled_ms__isnull=True) & ~Q(state__in=["upheld", "partial"])),
                name="dispute_ruling",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class DisputeEvidenceQuerySet(models.QuerySet["DisputeEvidence"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to evidence of disputes that the caller may see."""
        return self.filter(dispute__in=Dispute.objects.visible_to(caller).values("pk"))


class DisputeEvidence(models.Model):
    """A reading of either party's meter, as it came in, attached to the dispute about its time.

    Rows are added, never changed or removed, and stay when old readings are retired.
    """

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence")
    party = models.CharField(max_length=16, choices=Party)
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    boot_id = models.UUIDField()
    seq = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    accel_ms_total = models.BigIntegerField()
    energy_mj_total = models.BigIntegerField(null=True)
    util_ppm = models.IntegerField(null=True)
    quality = models.CharField(max_length=16)

    objects = DisputeEvidenceQuerySet.as_manager()

    class Meta:
        ordering = ["dispute", "ends_at", "id"]
        verbose_name_plural = "dispute evidence"
        constraints = [
            models.UniqueConstraint(
                fields=["dispute", "meter", "device", "boot_id", "seq"],
                name="dispute_evidence_once",
            )
        ]
        indexes = [
            models.Index(fields=["dispute", "ends_at", "id"], name="dispute_evidence_by_time")
        ]
        triggers = [
            pgtrigger.Protect(
                name="dispute_evidence_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.device_id} until {self.ends_at:%Y-%m-%d %H:%M:%S}"
