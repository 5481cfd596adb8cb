"""What a contract and one of its periods say, as the arithmetic takes it: whole numbers only."""

from decimal import Decimal
from typing import Protocol

from settlement.postings import GRID_GRAMS_PER_MWH, PRICE_DECIMALS, Terms, scaled_price

UNITS_PER_TICK = 10 ** (PRICE_DECIMALS - 3)


class Priced(Protocol):
    """A period's prices, in currency per accelerator-hour; ``price_ticks`` is the cell's."""

    @property
    def price_ticks(self) -> int: ...
    @property
    def buyer_price(self) -> Decimal: ...
    @property
    def seller_price(self) -> Decimal: ...
    @property
    def congestion_price(self) -> Decimal: ...
    @property
    def power_price(self) -> Decimal: ...
    @property
    def policy_price(self) -> Decimal: ...


class Agreed(Protocol):
    """A contract's rates, and the figures of its site and chip in millionths."""

    @property
    def tolerance_ppm(self) -> int: ...
    @property
    def penalty_factor_ppm(self) -> int: ...
    @property
    def buyer_fee_ppm(self) -> int: ...
    @property
    def seller_fee_ppm(self) -> int: ...
    @property
    def watts_micros(self) -> int: ...
    @property
    def pue_micros(self) -> int: ...
    @property
    def renewable_micros(self) -> int: ...


def agreed_terms(
    period: Priced,
    contract: Agreed,
    *,
    contracted_ms: int,
    replacement_price: Decimal | None = None,
    grid_grams_per_mwh: int | None = None,
) -> Terms:
    """Return the terms of one period.

    Without ``grid_grams_per_mwh`` (no row of the table for so early a year) it is the factor that
    the rules name.
    """
    return Terms(
        contracted_ms=contracted_ms,
        cell_price=period.price_ticks * UNITS_PER_TICK,
        buyer_price=scaled_price(period.buyer_price),
        seller_price=scaled_price(period.seller_price),
        congestion_price=scaled_price(period.congestion_price),
        power_price=scaled_price(period.power_price),
        policy_price=scaled_price(period.policy_price),
        replacement_price=None if replacement_price is None else scaled_price(replacement_price),
        tolerance_ppm=contract.tolerance_ppm,
        penalty_factor_ppm=contract.penalty_factor_ppm,
        buyer_fee_ppm=contract.buyer_fee_ppm,
        seller_fee_ppm=contract.seller_fee_ppm,
        watts_micros=contract.watts_micros,
        pue_micros=contract.pue_micros,
        renewable_micros=contract.renewable_micros,
        grid_grams_per_mwh=(
            GRID_GRAMS_PER_MWH if grid_grams_per_mwh is None else grid_grams_per_mwh
        ),
    )
