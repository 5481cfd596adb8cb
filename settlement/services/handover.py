"""What members and their keys do to hand machines over: meters, devices, and whom they serve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Caller, Organization, Scope
from accounts.services import audit_rows
from exchange.foundation.market_time import market_now
from settlement.models import Contract, Device, DeviceAssignment, Meter, Party
from settlement.models.contracts import CODE_LENGTH_MAX
from settlement.models.metering import SERIAL_LENGTH_MAX
from settlement.services.access_notes import refuse_non_provider, refuse_over
from settlement.services.enrolment import (
    NewAssignment,
    NewDevice,
    assign_devices,
    enroll_devices,
    enroll_meter,
    revoke_assignment,
    revoke_device,
    revoke_meter,
)
from settlement.services.resold_moves import refuse_resold

METERS_MAX = 1_000
DEVICES_AT_ONCE = 1_000
KIND_OF_PARTY = {Party.PROVIDER: "provides", Party.BUYER: "buys"}


class NotForMeters(Exception):
    """Meters and devices are an owner's or a trader's own, of an organization of their kind."""


class TooManyMeters(Exception):
    """An organization has at most METERS_MAX meters that report; revoke one first."""


class EnrolmentMalformed(Exception):
    """A site, an accelerator and a serial number are named, and something is counted."""


class OutsideContract(Exception):
    """A device is assigned within the time of its contract."""


class NotAssigned(Exception):
    """This device does not serve this contract, now or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Devices of one kind at one site, each with ``capacity_lots`` / 1,000 accelerators."""

    site_code: str
    accelerator_code: str
    serials: Sequence[str]
    capacity_lots: int


def add_meter(*, party: Party, site_code: str, actor: Caller) -> tuple[Meter, str]:
    """Enrol a meter; return it and its key's token, which is not shown again.

    Raises NotForMeters, EnrolmentMalformed, TooManyMeters.
    """
    _refuse_unless_allowed(actor)
    if not actor.is_kind(KIND_OF_PARTY[party]):
        raise NotForMeters(f"the organization is not of the kind for {party.label} meter")
    _refuse_name("site", site_code, CODE_LENGTH_MAX)
    with transaction.atomic():
        own = Organization.objects.select_for_update(no_key=True).get(pk=actor.organization_id)
        if Meter.objects.filter(organization=own, revoked_at=None).count() >= METERS_MAX:
            raise TooManyMeters(f"at most {METERS_MAX} meters; revoke one first")
        meter, token = enroll_meter(own, party=party, site_code=site_code, now=market_now())
        audit_rows.record(actor, "enrol", meter, site_code)
    return meter, token


def end_meter(meter: Meter, *, reason: str, actor: Caller) -> None:
    """Take nothing more in from a meter. Raises NotForMeters."""
    _refuse_unless_allowed(actor, meter.organization_id)
    revoke_meter(meter, now=market_now(), reason=reason, actor=actor)


def add_devices(machines: Machines, *, actor: Caller) -> list[Device]:
    """Enrol devices; those that are enrolled already are found. In the order of their serials.

    Raises NotForMeters, EnrolmentMalformed.
    """
    _refuse_unless_allowed(actor)
    if not actor.provides:
        raise NotForMeters("devices are a provider's")
    _refuse_malformed(machines)
    with transaction.atomic():
        devices = enroll_devices(
            [
                NewDevice(
                    organization_id=actor.organization_id,
                    site_code=machines.site_code,
                    accelerator_code=machines.accelerator_code,
                    serial=serial,
                    capacity_lots=machines.capacity_lots,
                )
                for serial in machines.serials
            ],
            now=market_now(),
        )
        for device in devices:
            _refuse_other_terms(device, machines)
        audit_rows.record(actor, "enrol", devices[0], f"{len(devices)} devices")
    return devices


def end_device(device: Device, *, reason: str, actor: Caller) -> None:
    """Take a device out of service, and of the contracts it serves. Raises NotForMeters."""
    _refuse_unless_allowed(actor, device.organization_id)
    revoke_device(device, now=market_now(), reason=reason, actor=actor)


def assign_device(
    contract: Contract,
    device: Device,
    *,
    actor: Caller,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> DeviceAssignment:
    """Let a device serve a contract, for all of its time or for a part.

    Raises NotTheProvider, ContractOver, OutsideContract, WrongDevice, DeviceTaken,
    DeliveredUnderAnother.
    """
    refuse_non_provider(contract, actor)
    refuse_resold(contract)
    refuse_over(contract)
    starts_at, ends_at = starts_at or contract.starts_at, ends_at or contract.ends_at
    if not contract.starts_at <= starts_at < ends_at <= contract.ends_at:
        raise OutsideContract("a part of the contract's own time, please")
    stated = NewAssignment(
        device_id=device.pk, contract_id=contract.pk, starts_at=starts_at, ends_at=ends_at
    )
    with transaction.atomic():
        assign_devices([stated])
        assignment = DeviceAssignment.objects.get(
            device=device, contract=contract, starts_at=starts_at, ends_at=ends_at
        )
        audit_rows.record(actor, "assign", device, contract.public_id)
    return assignment


def unassign_device(contract: Contract, device: Device, *, reason: str, actor: Caller) -> None:
    """End what a device does for a contract, now. Raises NotTheProvider, NotAssigned."""
    refuse_non_provider(contract, actor)
    now = market_now()
    with transaction.atomic():
        serving = DeviceAssignment.objects.filter(
            contract=contract, device=device, ends_at__gt=now, revoked_at=None
        )
        rows = list(serving.select_for_update(no_key=True))
        if not rows:
            raise NotAssigned(f"device {device.public_id} does not serve {contract.public_id}")
        for assignment in rows:
            revoke_assignment(assignment, now=now, reason=reason, actor=actor)


def _refuse_unless_allowed(actor: Caller, organization_id: int | None = None) -> None:
    is_own = organization_id in (None, actor.organization_id)
    if not is_own or not actor.has_scope(Scope.METERS_WRITE):
        raise NotForMeters("not yours to enrol or to revoke")


def _refuse_malformed(machines: Machines) -> None:
    _refuse_name("site", machines.site_code, CODE_LENGTH_MAX)
    _refuse_name("accelerator", machines.accelerator_code, CODE_LENGTH_MAX)
    if not 1 <= len(machines.serials) <= DEVICES_AT_ONCE:
        raise EnrolmentMalformed(f"1 to {DEVICES_AT_ONCE} serial numbers at a time")
    for serial in machines.serials:
        _refuse_name("serial number", serial, SERIAL_LENGTH_MAX)
    if len(set(machines.serials)) < len(machines.serials):
        raise EnrolmentMalformed("a serial number stands twice")
    if machines.capacity_lots <= 0:
        raise EnrolmentMalformed("a device has some accelerators")


def _refuse_name(what: str, name: str, length_max: int) -> None:
    if not 1 <= len(name) <= length_max or not name.isprintable() or name != name.strip():
        raise EnrolmentMalformed(f"{what}: 1 to {length_max} printable characters")


def _refuse_other_terms(device: Device, machines: Machines) -> None:
    stated = (machines.accelerator_code, machines.capacity_lots)
    if (device.accelerator_code, device.capacity_lots) != stated or device.revoked_at is not None:
        raise EnrolmentMalformed(f"serial number {device.serial} is enrolled on other terms")
