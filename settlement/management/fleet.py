"""Devices and meters for contracts that a play or a test wants delivered."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Max

from accounts.models import Scope
from accounts.services.api_keys import issue_key
from settlement.management.devices import Watched
from settlement.models import Contract, Meter, Party
from settlement.services.metering import (
    NewAssignment,
    NewDevice,
    assign_devices,
    enroll_devices,
    enroll_meter,
)

Sites = Mapping[tuple[int, str], Meter]


def equip(
    contracts: Sequence[Contract], *, now: datetime, party: Party = Party.PROVIDER
) -> list[Watched]:
    """Enrol and assign a device for each contract and a meter for each site; return who watches.

    A device is as large as its contract's largest hour. A repeat finds what is there.
    """
    largest = _largest(contracts)
    devices = enroll_devices(
        [
            NewDevice(
                organization_id=contract.provider_id,
                site_code=contract.site_code,
                accelerator_code=contract.accelerator_code,
                serial=contract.public_id,
                capacity_lots=largest[contract.pk],
            )
            for contract in contracts
        ],
        now=now,
    )
    assign_devices(
        [
            NewAssignment(
                device_id=device.pk,
                contract_id=contract.pk,
                starts_at=contract.starts_at,
                ends_at=contract.ends_at,
            )
            for contract, device in zip(contracts, devices, strict=True)
        ]
    )
    meters = _meters(contracts, now=now, party=party)
    return [
        Watched(
            meter=meters[_watcher(contract, party), contract.site_code].public_id,
            device=device.public_id,
            contract=contract.public_id,
            starts_at=contract.starts_at,
            ends_at=contract.ends_at,
            capacity_lots=device.capacity_lots,
            watts_micros=contract.watts_micros,
        )
        for contract, device in zip(contracts, devices, strict=True)
    ]


def fresh_keys(meter_ids: Iterable[str]) -> dict[str, str]:
    """Return a new key's token for each of these meters: the first ones' were shown only once."""
    tokens = {}
    for meter in Meter.objects.filter(public_id__in=set(meter_ids)).select_related("organization"):
        _, tokens[meter.public_id] = issue_key(
            meter.organization,
            name=f"simulated meter at {meter.site_code}",
            scopes=[Scope.READINGS_WRITE],
            meter=meter.public_id,
        )
    return tokens


def _watcher(contract: Contract, party: Party) -> int:
    return contract.provider_id if party is Party.PROVIDER else contract.buyer_id


def _largest(contracts: Sequence[Contract]) -> dict[int, int]:
    rows = Contract.objects.filter(pk__in=[contract.pk for contract in contracts])
    return dict(rows.annotate(lots=Max("periods__quantity_lots")).values_list("pk", "lots"))


def _meters(contracts: Sequence[Contract], *, now: datetime, party: Party) -> Sites:
    found = {
        (meter.organization_id, meter.site_code): meter
        for meter in Meter.objects.filter(party=party, revoked_at=None).order_by("-pk")
    }
    for contract in contracts:
        place = _watcher(contract, party), contract.site_code
        if place not in found:
            organization = contract.provider if party is Party.PROVIDER else contract.buyer
            found[place], _ = enroll_meter(
                organization, party=party, site_code=contract.site_code, now=now
            )
    return found
