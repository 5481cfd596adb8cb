"""Devices and meters join and leave; a device serves one contract at a time."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import ApiKey, AuditRow
from settlement.models import Device, DeviceAssignment, Meter, Party
from settlement.services.metering import (
    DeviceTaken,
    NewAssignment,
    NewDevice,
    WrongDevice,
    assign_devices,
    enroll_devices,
    enroll_meter,
    revoke_assignment,
    revoke_device,
    revoke_meter,
)
from tests.factories import caller
from tests.settlement.books import an_organization
from tests.settlement.deliveries import HOUR, SITE, TEN, Delivery, a_delivery

pytestmark = pytest.mark.django_db


def test_a_meter_has_a_key_of_its_own_that_may_only_report() -> None:
    meter, token = enroll_meter(an_organization(), party=Party.PROVIDER, site_code=SITE, now=TEN)

    key = ApiKey.objects.get()
    assert (key.meter, key.scopes) == (meter.public_id, ["readings:write"])
    assert token.startswith(key.public_id)


def test_a_device_that_is_enrolled_is_found_again() -> None:
    organization = an_organization()
    stated = [
        NewDevice(
            organization_id=organization.pk,
            site_code=SITE,
            accelerator_code="h100",
            serial=serial,
            capacity_lots=8_000,
        )
        for serial in ("a", "b")
    ]

    first = enroll_devices(stated, now=TEN)
    again = enroll_devices(stated[::-1], now=TEN + HOUR)

    assert [each.pk for each in again] == [each.pk for each in first[::-1]]
    assert Device.objects.count() == 2


def test_an_assignment_that_stands_may_be_repeated() -> None:
    delivery = a_delivery(hours=3)

    assign_devices([assignment(delivery)])

    assert DeviceAssignment.objects.count() == 1


def test_a_device_that_serves_another_contract_is_refused_with_the_whole_list() -> None:
    delivery, other = a_delivery(hours=3), a_delivery(bid="bid_2", hours=3)
    free = another_device(delivery)
    later = assignment(delivery, device_id=free.pk, starts_at=TEN + HOUR)
    taken = assignment(delivery, starts_at=TEN + HOUR)

    with pytest.raises(DeviceTaken):
        assign_devices([later, taken])

    assert DeviceAssignment.objects.filter(device=free).count() == 0
    assert other.device.assignments.count() == 1


def test_the_database_itself_refuses_two_contracts_at_once() -> None:
    delivery = a_delivery(hours=3)

    with pytest.raises(IntegrityError, match="one_contract"), transaction.atomic():
        DeviceAssignment.objects.create(
            device=delivery.device,
            contract=delivery.contract,
            starts_at=TEN + HOUR,
            ends_at=TEN + 5 * HOUR,
        )


def test_a_device_serves_only_its_own_providers_contracts_at_its_site() -> None:
    delivery, other = a_delivery(), a_delivery(bid="bid_2")

    with pytest.raises(WrongDevice):
        assign_devices([assignment(delivery, contract_id=other.contract.pk)])


def test_a_revoked_device_serves_nobody_from_then_on() -> None:
    delivery = a_delivery(hours=3)
    revoke_device(delivery.device, now=TEN + HOUR, reason="broken", actor=caller())

    assert delivery.device.assignments.get().ends_at == TEN + HOUR
    with pytest.raises(WrongDevice):
        assign_devices([assignment(delivery, starts_at=TEN + 2 * HOUR)])


def test_an_assignment_revoked_before_it_began_is_empty_and_frees_the_device() -> None:
    delivery = a_delivery(hours=3)
    kept = delivery.device.assignments.get()
    revoke_assignment(kept, now=TEN - HOUR, reason="swapped", actor=caller())

    assert (kept.starts_at, kept.ends_at) == (TEN, TEN)
    assign_devices([assignment(delivery)])
    assert delivery.device.assignments.count() == 2


def test_revoking_leaves_one_audit_row_with_its_reason_however_often() -> None:
    delivery = a_delivery()
    for _ in range(2):
        revoke_meter(delivery.meter, now=TEN, reason="replaced", actor=caller())

    row = AuditRow.objects.about(delivery.meter).get()
    assert (row.verb, row.reason) == ("revoke", "replaced")
    assert Meter.objects.get().revoked_at == TEN


def assignment(delivery: Delivery, **changes: Any) -> NewAssignment:
    stated: dict[str, Any] = {
        "device_id": delivery.device.pk,
        "contract_id": delivery.contract.pk,
        "starts_at": delivery.contract.starts_at,
        "ends_at": delivery.contract.ends_at,
    }
    return NewAssignment(**(stated | changes))


def another_device(delivery: Delivery) -> Device:
    stated = NewDevice(
        organization_id=delivery.provider.pk,
        site_code=SITE,
        accelerator_code="h100",
        serial="another",
    )
    return enroll_devices([stated], now=TEN)[0]
