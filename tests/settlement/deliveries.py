"""What the tests of metering and settling begin with: a contract, its devices and meters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Organization
from exchange.foundation.market_time import mark_as_play, market_now, set_market_time
from settlement.models import (
    AccountKind,
    Contract,
    DeliveryPeriod,
    Device,
    LedgerAccount,
    Meter,
    Party,
)
from settlement.queries.audit import audit_books
from settlement.services.contracts import ContractTerms, PeriodTerms, open_contracts
from settlement.services.holds import HoldRequest, place_hold
from settlement.services.metering import (
    NewAssignment,
    NewDevice,
    assign_devices,
    enroll_devices,
    enroll_meter,
)
from tests.settlement.books import an_organization, put_in

TEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HOUR_MS = 3_600_000
BOOT = UUID(int=1)
MONEY = 10**12
SITE = "site-a"


@dataclass
class Delivery:
    """One contract over some hours, with a provider's meter and a device."""

    buyer: Organization
    provider: Organization
    contract: Contract
    meter: Meter
    device: Device
    token: str
    periods: list[DeliveryPeriod] = field(default_factory=list)

    @property
    def period(self) -> DeliveryPeriod:
        """The first period."""
        return self.periods[0]

    def add_buyers_meter(self) -> Meter:
        """Enrol a meter of the buyer at the contract's site."""
        return enroll_meter(self.buyer, party=Party.BUYER, site_code=SITE, now=TEN - 24 * HOUR)[0]


def a_period(
    hour: int, *, lots: int = 1_000, ticks: int = 10_000, **prices: Decimal
) -> PeriodTerms:
    """Return an hour's terms, the first from ten o'clock."""
    price = Decimal(ticks).scaleb(-3)
    names = ("congestion_price", "power_price", "policy_price")
    parts: dict[str, Any] = dict.fromkeys(names, Decimal(0)) | prices
    return PeriodTerms(
        starts_at=TEN + hour * HOUR,
        ends_at=TEN + (hour + 1) * HOUR,
        quantity_lots=lots,
        price_ticks=ticks,
        buyer_price=price + parts["congestion_price"],
        seller_price=price - parts["power_price"] + parts["policy_price"],
        **parts,
    )


def contract_terms(
    buyer: Organization, provider: Organization, periods: Sequence[PeriodTerms], **more: Any
) -> ContractTerms:
    """Return terms of a contract, with what ``more`` says instead."""
    terms: dict[str, Any] = {
        "buyer_id": buyer.pk,
        "provider_id": provider.pk,
        "auction_id": "auc_1",
        "bid_id": "bid_1",
        "hold_key": "bid_1",
        "site_code": SITE,
        "region_code": "guizhou",
        "accelerator_code": "h100",
        "accelerator_kind": "gpu",
        "domestic": False,
        "tflops_micros": 989_000_000,
        "watts_micros": 700_000_000,
        "pue_micros": 1_200_000,
        "renewable_micros": 500_000,
        "currency": "CNY",
        "tolerance_ppm": 20_000,
        "penalty_factor_ppm": 500_000,
        "dispute_days": 14,
        "buyer_fee_ppm": 10_000,
        "seller_fee_ppm": 20_000,
    }
    return ContractTerms(**(terms | more), periods=periods)


def a_delivery(
    *,
    hours: int = 1,
    periods: Sequence[PeriodTerms] = (),
    lots: int = 1_000,
    hold: int = MONEY // 10,
    bid: str = "bid_1",
    buyer: Organization | None = None,
    provider: Organization | None = None,
    **terms: Any,
) -> Delivery:
    """Open a contract from ten o'clock, cover it, enrol a device for it and assign it."""
    if buyer is None:
        buyer = an_organization("Buyer")
        put_in(buyer, MONEY)
    provider = provider or an_organization("Provider")
    place_hold(HoldRequest(bid, buyer.pk, hold))
    periods = periods or [a_period(hour, lots=lots) for hour in range(hours)]
    stated = contract_terms(buyer, provider, periods, bid_id=bid, hold_key=bid, **terms)
    open_contracts([stated])
    contract = Contract.objects.get(key=stated.key)
    meter, token = enroll_meter(provider, party=Party.PROVIDER, site_code=SITE, now=TEN - 24 * HOUR)
    device = a_device(contract, f"serial of {bid}", lots=lots)
    periods_kept = list(contract.periods.order_by("starts_at"))
    return Delivery(buyer, provider, contract, meter, device, token, periods_kept)


def a_device(contract: Contract, serial: str, *, lots: int = 1_000) -> Device:
    """Enrol a device for the contract and assign it to all of its time."""
    device = enroll_devices(
        [
            NewDevice(
                organization_id=contract.provider_id,
                site_code=contract.site_code,
                accelerator_code=contract.accelerator_code,
                serial=serial,
                capacity_lots=lots,
            )
        ],
        now=TEN - 24 * HOUR,
    )[0]
    assign_devices(
        [
            NewAssignment(
                device_id=device.pk,
                contract_id=contract.pk,
                starts_at=contract.starts_at,
                ends_at=contract.ends_at,
            )
        ]
    )
    return device


def an_event(
    delivery: Delivery,
    *,
    seq: int = 1,
    starts: datetime = TEN,
    ends: datetime | None = None,
    total: int | None = None,
    meter: Meter | None = None,
    device: Device | None = None,
    boot: UUID = BOOT,
    event_id: str = "",
    **fields: Any,
) -> dict[str, Any]:
    """Return one event: by default the whole first hour, fully delivered."""
    ends = ends or starts + HOUR
    meter, device = meter or delivery.meter, device or delivery.device
    return {
        "specversion": "1.0",
        "type": "compute.reading.v1",
        "source": meter.public_id,
        "id": event_id or f"{device.public_id}/{boot}/{seq}",
        "subject": f"{delivery.contract.public_id}/{device.public_id}",
        "data": {
            "boot_id": str(boot),
            "seq": seq,
            "period_start": starts.isoformat(),
            "period_end": ends.isoformat(),
            "accel_ms_total": HOUR_MS if total is None else total,
            **fields,
        },
    }


def hourly(delivery: Delivery, hours: int) -> list[dict[str, Any]]:
    """Return an event for each of the first hours, all fully delivered."""
    return [
        an_event(delivery, seq=hour + 1, starts=TEN + hour * HOUR, total=(hour + 1) * HOUR_MS)
        for hour in range(hours)
    ]


def play_at(at: datetime) -> datetime:
    """Set the market's clock and return what it says."""
    mark_as_play()
    set_market_time(at)
    return market_now()


def balance(organization: Organization, kind: AccountKind) -> int:
    """Return what an organization has of one kind."""
    account = LedgerAccount.objects.filter(owner=organization, kind=kind).first()
    return account.balance_micros if account else 0


def house(kind: AccountKind) -> int:
    """Return what is on all accounts of one kind."""
    return sum(each.balance_micros for each in LedgerAccount.objects.filter(kind=kind))


def broken() -> list[str]:
    """Return the invariants that do not hold, with what breaks them."""
    findings = audit_books(contents=True)
    return [f"{each.invariant}: {each.first}" for each in findings if not each.holds]
