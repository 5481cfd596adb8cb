"""Meters and devices join and leave; devices are assigned to contracts for a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Least

from accounts.models import Caller, Organization, Scope
from accounts.services import api_keys, audit_rows
from settlement.models import Device, DeviceAssignment, Meter, Party

ROWS_AT_ONCE = 5_000


class DeviceTaken(Exception):
    """A device serves one contract at a time, and this one serves another then."""


class WrongDevice(Exception):
    """A device serves a contract only at the contract's site, with its accelerator, as its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A machine or slice with ``capacity_lots`` / 1,000 accelerators, named by its serial."""

    organization_id: int
    site_code: str
    accelerator_code: str
    serial: str
    capacity_lots: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssignment:
    """``device_id`` serves ``contract_id`` from ``starts_at`` until ``ends_at``."""

    device_id: int
    contract_id: int
    starts_at: datetime
    ends_at: datetime


WRONG = """
SELECT device.public_id, contract.public_id
FROM unnest(%s::bigint[], %s::bigint[]) AS given (device_id, contract_id)
JOIN settlement_device AS device ON device.id = given.device_id
JOIN settlement_contract AS contract ON contract.id = given.contract_id
WHERE (device.organization_id, device.site_code, device.accelerator_code)
      IS DISTINCT FROM (contract.provider_id, contract.site_code, contract.accelerator_code)
   OR device.revoked_at IS NOT NULL
LIMIT 1
"""
KEPT = """
SELECT count(*)
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
    AS given (device_id, contract_id, starts_at, ends_at)
JOIN settlement_deviceassignment USING (device_id, contract_id, starts_at, ends_at)
"""


def enroll_meter(
    organization: Organization, *, party: Party, site_code: str, now: datetime
) -> tuple[Meter, str]:
    """Enrol a meter with a key of its own; return it and the key's token, shown only here."""
    with transaction.atomic():
        meter = Meter.objects.create(
            organization=organization, party=party, site_code=site_code, enrolled_at=now
        )
        _, token = api_keys.issue_key(
            organization,
            name=f"meter at {site_code}",
            scopes=[Scope.READINGS_WRITE],
            meter=meter.public_id,
        )
    return meter, token


def revoke_meter(meter: Meter, *, now: datetime, reason: str, actor: Caller) -> None:
    """Take nothing more in from this meter; what it reported before stays."""
    with transaction.atomic():
        if Meter.objects.filter(pk=meter.pk, revoked_at=None).update(revoked_at=now):
            audit_rows.record(actor, "revoke", meter, reason)
    meter.refresh_from_db(fields=["revoked_at"])


def enroll_devices(devices: Sequence[NewDevice], *, now: datetime) -> list[Device]:
    """Enrol devices, set-based; one that is enrolled already is found. In the order given."""
    with transaction.atomic():
        Device.objects.bulk_create(
            [
                Device(
                    organization_id=each.organization_id,
                    site_code=each.site_code,
                    accelerator_code=each.accelerator_code,
                    serial=each.serial,
                    capacity_lots=each.capacity_lots,
                    enrolled_at=now,
                )
                for each in devices
            ],
            ignore_conflicts=True,
            batch_size=ROWS_AT_ONCE,
        )
        found = {
            (row.organization_id, row.site_code, row.serial): row
            for row in Device.objects.filter(
                organization_id__in={each.organization_id for each in devices},
                serial__in=[each.serial for each in devices],
            )
        }
    return [found[each.organization_id, each.site_code, each.serial] for each in devices]


def assign_devices(assignments: Sequence[NewAssignment]) -> None:
    """Assign devices to contracts, all or none; a repeat changes nothing.

    Raises WrongDevice, and DeviceTaken where the database finds an overlap.
    """
    columns: list[list[Any]] = [
        [each.device_id for each in assignments],
        [each.contract_id for each in assignments],
        [each.starts_at for each in assignments],
        [each.ends_at for each in assignments],
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WRONG, columns[:2])
        if wrong := cursor.fetchone():
            raise WrongDevice(f"device {wrong[0]} cannot serve contract {wrong[1]}")
        DeviceAssignment.objects.bulk_create(
            [
                DeviceAssignment(
                    device_id=each.device_id,
                    contract_id=each.contract_id,
                    starts_at=each.starts_at,
                    ends_at=each.ends_at,
                )
                for each in assignments
            ],
            ignore_conflicts=True,
            batch_size=ROWS_AT_ONCE,
        )
        cursor.execute(KEPT, columns)
        if cursor.fetchone()[0] != len(assignments):
            raise DeviceTaken("a device serves another contract at that time")


def revoke_assignment(
    assignment: DeviceAssignment, *, now: datetime, reason: str, actor: Caller
) -> None:
    """End an assignment now; one that has not begun becomes empty."""
    with transaction.atomic():
        rows = DeviceAssignment.objects.filter(pk=assignment.pk, revoked_at=None)
        if rows.update(revoked_at=now, ends_at=Least(F("ends_at"), Greatest(F("starts_at"), now))):
            audit_rows.record(actor, "revoke", assignment, reason)
    assignment.refresh_from_db(fields=["revoked_at", "ends_at"])


def revoke_device(device: Device, *, now: datetime, reason: str, actor: Caller) -> None:
    """Take a device out of service: its assignments end and no reading of it is accepted."""
    with transaction.atomic():
        if Device.objects.filter(pk=device.pk, revoked_at=None).update(revoked_at=now):
            audit_rows.record(actor, "revoke", device, reason)
        for assignment in DeviceAssignment.objects.filter(device=device, ends_at__gt=now):
            revoke_assignment(assignment, now=now, reason=reason, actor=actor)
    device.refresh_from_db(fields=["revoked_at"])
