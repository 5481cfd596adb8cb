"""What a published clearing says to settlement: the terms of a contract and of its periods."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

CONTRACT_IDS = uuid.UUID("3b9a6c1e-7f58-5d0a-8f1c-52c4e0a7d6b3")  # namespace of contract keys
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTerms:
    """``quantity_lots`` from ``starts_at`` until ``ends_at``.

    Prices are exact, in currency per accelerator-hour: ``buyer_price`` is the cell's price and
    the links', ``seller_price`` the cell's less power and with policy, so that
    buyer = seller + congestion + power - policy; or less than that, where either price gave way
    so that nobody loses by rounding. ``resold_from_id`` is the period of the contract that is
    resold.
    """

    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    price_ticks: int
    buyer_price: Decimal
    seller_price: Decimal
    congestion_price: Decimal = NOTHING
    power_price: Decimal = NOTHING
    policy_price: Decimal = NOTHING
    resold_from_id: int | None = None

    def __post_init__(self) -> None:
        parts = self.congestion_price + self.power_price - self.policy_price
        assert self.buyer_price <= self.seller_price + parts, self
        assert self.starts_at < self.ends_at, self
        assert self.quantity_lots > 0, self


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractTerms:
    """One contract: the fills of one bid at one site on one accelerator, in one auction.

    Or what one resale sold of another contract: to a bid in an auction, or to whom it was offered.

    Rates are in ppm, figures of the site and the chip in millionths of their units;
    ``notice_minutes`` is what the provider gives before it may take the capacity back, and
    ``run_delays_minutes`` are those of the provisional run, R1 and R2 after a period's end.
    """

    buyer_id: int
    provider_id: int
    auction_id: str
    bid_id: str
    hold_key: str
    resale_id: int | None = None
    site_code: str
    region_code: str
    accelerator_code: str
    accelerator_kind: str
    domestic: bool
    tflops_micros: int
    watts_micros: int
    pue_micros: int
    renewable_micros: int
    currency: str
    tolerance_ppm: int
    penalty_factor_ppm: int
    dispute_days: int
    notice_minutes: int = 24 * 60
    buyer_fee_ppm: int
    seller_fee_ppm: int
    periods: Sequence[PeriodTerms]
    run_delays_minutes: Sequence[int] = (60, 24 * 60, 7 * 24 * 60)

    def __post_init__(self) -> None:
        assert self.periods, self
        resold = {period.resold_from_id is not None for period in self.periods}
        assert resold == {self.resale_id is not None}, self

    @property
    def key(self) -> uuid.UUID:
        """What makes a repeat the same contract."""
        parts = [self.auction_id, self.bid_id, self.site_code, self.accelerator_code]
        if self.resale_id is not None:
            parts.append(f"resale {self.resale_id}")
        return uuid.uuid5(CONTRACT_IDS, "/".join(parts))

    @property
    def starts_at(self) -> datetime:
        """When the first period begins."""
        return min(period.starts_at for period in self.periods)

    @property
    def ends_at(self) -> datetime:
        """When the last period ends."""
        return max(period.ends_at for period in self.periods)
