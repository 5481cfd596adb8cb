"""Contracts for tests: terms with a few hours each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Organization
from settlement.models import Contract
from settlement.services.contracts import ContractTerms, PeriodTerms, open_contracts
from tests.factories import OrganizationFactory

START = datetime(2026, 1, 5, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


def some_periods(count: int = 2, **changes: Any) -> list[PeriodTerms]:
    """Return hours of two accelerators at 20.000, with a full link and a power budget."""
    terms: dict[str, Any] = {
        "quantity_lots": 2_000,
        "price_ticks": 20_000,
        "buyer_price": Decimal("20.5"),
        "seller_price": Decimal("19.75"),
        "congestion_price": Decimal("0.5"),
        "power_price": Decimal("0.25"),
    } | changes
    return [
        PeriodTerms(starts_at=START + n * HOUR, ends_at=START + (n + 1) * HOUR, **terms)
        for n in range(count)
    ]


def some_terms(
    buyer: Organization | None = None, provider: Organization | None = None, **changes: Any
) -> ContractTerms:
    """Return terms of one contract between two (fresh) organizations."""
    buyer = buyer or OrganizationFactory.create()
    provider = provider or OrganizationFactory.create()
    terms: dict[str, Any] = {
        "buyer_id": buyer.pk,
        "provider_id": provider.pk,
        "auction_id": "auc_1",
        "bid_id": "bid_1",
        "hold_key": "bid_1",
        "site_code": "gui-an-1",
        "region_code": "guizhou",
        "accelerator_code": "ascend-910b",
        "accelerator_kind": "npu",
        "domestic": True,
        "tflops_micros": 376_000_000,
        "watts_micros": 400_000_000,
        "pue_micros": 1_200_000,
        "renewable_micros": 400_000,
        "currency": "CNY",
        "tolerance_ppm": 10_000,
        "penalty_factor_ppm": 500_000,
        "dispute_days": 14,
        "buyer_fee_ppm": 5_000,
        "seller_fee_ppm": 5_000,
        "periods": some_periods(),
    } | changes
    return ContractTerms(**terms)


def a_contract(
    buyer: Organization | None = None, provider: Organization | None = None, **changes: Any
) -> Contract:
    """Open one contract and return it."""
    terms = some_terms(buyer, provider, **changes)
    open_contracts([terms])
    return Contract.objects.get(key=terms.key)
