"""Meters, the devices they watch, and what they reported."""

from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import Caller, Organization
from exchange.foundation.ids import LENGTH_MAX, new_id
from settlement.models.contracts import CODE_LENGTH_MAX, Contract

EVENT_ID_LENGTH_MAX = 128
SERIAL_LENGTH_MAX = 64


def new_meter_id() -> str:
    """Return a fresh public id of a meter."""
    return new_id("mtr")


def new_device_id() -> str:
    """Return a fresh public id of a device."""
    return new_id("dev")


class Party(models.TextChoices):
    """Whose meter it is."""

    PROVIDER = "provider", "the provider's"
    BUYER = "buyer", "the buyer's"


class MeterQuerySet(models.QuerySet["Meter"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own meters; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class Meter(models.Model):
    """A program at a site that reads devices and reports with a key of its own.

    Its public id is the ``source`` of its events.
    """

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_meter_id, editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="meters")
    party = models.CharField(max_length=16, choices=Party)
    site_code = models.CharField(max_length=CODE_LENGTH_MAX)
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = MeterQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(party__in=Party.values), name="meter_party")
        ]

    def __str__(self) -> str:
        return self.public_id


class DeviceQuerySet(models.QuerySet["Device"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to the caller's own devices; operators and auditors see all."""
        return self if caller.sees_all else self.filter(organization_id=caller.organization_id)


class Device(models.Model):
    """What can be assigned to a contract: one accelerator, or a machine or slice with several."""

    public_id = models.CharField(
        max_length=LENGTH_MAX, unique=True, default=new_device_id, editable=False
    )
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="devices")
    site_code = models.CharField(max_length=CODE_LENGTH_MAX)
    accelerator_code = models.CharField(max_length=CODE_LENGTH_MAX)
    serial = models.CharField(max_length=SERIAL_LENGTH_MAX)
    capacity_lots = models.BigIntegerField(default=1_000, help_text="accelerators x 1,000")
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "site_code", "serial"], name="device_once"
            ),
            models.CheckConstraint(condition=Q(capacity_lots__gt=0), name="device_of_something"),
        ]

    def __str__(self) -> str:
        return self.public_id


class DeviceAssignmentQuerySet(models.QuerySet["DeviceAssignment"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to assignments to contracts that the caller may see."""
        if caller.sees_all:
            return self
        mine = caller.organization_id
        return self.filter(Q(contract__buyer_id=mine) | Q(contract__provider_id=mine))


class DeviceAssignment(models.Model):
    """A device serves a contract for a time; the database refuses two contracts at once.

    Revoking one brings its end forward; one that was revoked before it began is empty.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="assignments")
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="assignments")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = DeviceAssignmentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["contract", "starts_at"], name="device_assignment_of")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gte=F("starts_at")), name="device_assignment_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.device_id} for {self.contract_id}"


class ReadingEventQuerySet(models.QuerySet["ReadingEvent"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to events of the caller's own meters; operators and auditors see all."""
        return self.filter(meter__in=Meter.objects.visible_to(caller).values("pk"))


class ReadingEvent(models.Model):
    """That an event was accepted, kept for good: the same (source, id) never counts twice.

    The keys of a meter's tables to devices and contracts are checked when a batch is taken in,
    for all its rows at once, and not again by the database row by row.
    """

    meter = models.ForeignKey(
        Meter, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="events"
    )
    event_id = models.CharField(max_length=EVENT_ID_LENGTH_MAX)
    content_sha256 = models.BinaryField(max_length=32)
    received_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ReadingEventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter", "event_id"], name="reading_event_once")
        ]
        triggers = [
            pgtrigger.Protect(
                name="reading_event_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return f"{self.meter_id}: {self.event_id}"


class ReadingConflictQuerySet(models.QuerySet["ReadingConflict"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to events of the caller's own meters; operators and auditors see all."""
        return self.filter(meter__in=Meter.objects.visible_to(caller).values("pk"))


class ReadingConflict(models.Model):
    """An event that came again under a used id with other content: kept, never counted."""

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="conflicts")
    event_id = models.CharField(max_length=EVENT_ID_LENGTH_MAX)
    content_sha256 = models.BinaryField(max_length=32)
    body = models.JSONField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ReadingConflictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["meter", "event_id", "content_sha256"], name="reading_conflict_once"
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="reading_conflict_append_only",
                operation=pgtrigger.Update | pgtrigger.Delete,
            )
        ]

    def __str__(self) -> str:
        return f"{self.meter_id}: {self.event_id}"


class ReadingQuerySet(models.QuerySet["Reading"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to readings of contracts that the caller may see."""
        if caller.sees_all:
            return self
        return self.filter(contract__in=Contract.objects.visible_to(caller).values("pk"))


class Reading(models.Model):
    """What a meter said about a device: counters since the device's last boot.

    The table is partitioned by the day on which a reading ends, so a migration of its own makes
    it; ``id`` is that of the event. Rows are added, never changed or removed.
    """

    class Quality(models.TextChoices):
        MEASURED = "measured", "measured"
        ESTIMATED = "estimated", "estimated"

    id = models.BigIntegerField(primary_key=True)
    meter = models.ForeignKey(Meter, on_delete=models.DO_NOTHING, related_name="readings")
    device = models.ForeignKey(Device, on_delete=models.DO_NOTHING, related_name="readings")
    contract = models.ForeignKey(Contract, on_delete=models.DO_NOTHING, related_name="readings")
    boot_id = models.UUIDField()
    seq = models.BigIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    accel_ms_total = models.BigIntegerField()
    energy_mj_total = models.BigIntegerField(null=True)
    util_ppm = models.IntegerField(null=True)
    quality = models.CharField(max_length=16, choices=Quality)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.device_id} until {self.ends_at:%Y-%m-%d %H:%M:%S}"


class ReadingStreamQuerySet(models.QuerySet["ReadingStream"]):
    def visible_to(self, caller: Caller) -> Self:
        """Cut to streams of the caller's own meters; operators and auditors see all."""
        return self.filter(meter__in=Meter.objects.visible_to(caller).values("pk"))


class ReadingStream(models.Model):
    """The readings of one device by one meter between two boots, in short.

    ``first_*`` are of the reading with the lowest sequence number so far, ``last_*`` of the one
    with the highest; ``missing_count`` is how many numbers up to the highest never came.
    """

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="streams")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="streams")
    boot_id = models.UUIDField()
    first_seq = models.BigIntegerField()
    first_starts_at = models.DateTimeField()
    first_ends_at = models.DateTimeField()
    first_accel_ms = models.BigIntegerField()
    max_seq = models.BigIntegerField()
    last_ends_at = models.DateTimeField()
    last_accel_ms = models.BigIntegerField()
    last_energy_mj = models.BigIntegerField(null=True)
    received_count = models.BigIntegerField()
    missing_count = models.BigIntegerField()

    objects = ReadingStreamQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["device", "last_ends_at"], name="reading_stream_of_device")]
        constraints = [
            models.UniqueConstraint(
                fields=["meter", "device", "boot_id"], name="reading_stream_once"
            ),
            models.CheckConstraint(
                condition=Q(missing_count=F("max_seq") - F("received_count")),
                name="reading_stream_missing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter_id} on {self.device_id} since {self.boot_id}"
