"""Offers and bids before they are placed: plain values, the same for a book and for the doors."""

import random
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

TICK = Decimal("0.001")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDraft:
    """One data centre of one provider."""

    code: str
    provider: int
    region: str
    pue: Decimal
    renewable_share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDraft:
    """``quantity`` accelerators from period ``first`` to the end of the day."""

    name: str
    site: str
    accelerator: str
    first: int
    end: int
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BidDraft:
    """One bid; ``tenant`` is whose cluster the job ran on."""

    name: str
    tenant: str
    kind: str
    origin: str
    quantity: int
    price: Decimal
    first: int
    end: int
    duration: int | None
    volume: int | None
    latency_ms_max: Decimal | None
    gbps: Decimal
    group: str | None
    regions: tuple[str, ...]
    renewable_min: Decimal | None
    choices: tuple[tuple[str, Decimal], ...]


def draw(*key: object) -> random.Random:
    """Return a generator of chances that depends on ``key`` alone."""
    return random.Random("|".join(map(str, key)))  # noqa: S311


def on_tick(price: float) -> Decimal:
    """Return a price rounded to the tick, at least one tick."""
    return max(TICK, Decimal(price).quantize(TICK, rounding=ROUND_HALF_UP))
