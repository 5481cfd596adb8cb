"""The terms of a bid as doors show them, whether it was just placed or is read again."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from exchange.models import Bid

_MINUTE = timedelta(minutes=1)


class BidTerms(NamedTuple):
    """The economic terms of a bid, resolved and checked; units as in the model Bid.

    ``greatest_cost_micros`` includes the buyer's fee.
    """

    kind: str
    time_in_force: str
    auction_id: int | None
    auction_public_id: str | None
    currency: str
    origin_id: int
    origin_code: str
    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    limit_ticks: int
    duration_minutes: int | None
    volume_lot_minutes: int | None
    group: str
    latency_micros_max: int | None
    gbps_micros: int
    renewable_micros_min: int
    regions: tuple[str, ...]
    accelerators: tuple[str, ...]
    factors_micros: tuple[int, ...]
    ai_model_id: int | None
    ai_model_code: str | None
    dtype: str
    project: str
    label: str
    greatest_cost_micros: int


class BidCard(NamedTuple):
    """A bid as its buyer sees it in a list: its terms, and where it stands."""

    public_id: str
    terms: BidTerms
    state: str
    reason_code: str
    reason_detail: str
    placed_at: datetime
    moved_at: datetime


def unit_lot_minutes(
    *,
    window: timedelta,
    quantity_lots: int,
    duration_minutes: int | None,
    volume_lot_minutes: int | None,
) -> int:
    """Return the most that a bid may be given: lots of units times minutes."""
    if volume_lot_minutes is not None:
        return volume_lot_minutes
    return quantity_lots * (duration_minutes or window // _MINUTE)


def card_of(bid: Bid) -> BidCard:
    """Return the card of a row that was read with its auction, origin and AI model."""
    terms = BidTerms(
        kind=bid.kind,
        time_in_force=bid.time_in_force,
        auction_id=bid.auction_id,
        auction_public_id=bid.auction.public_id if bid.auction else None,
        currency=bid.auction.currency if bid.auction else settings.MARKET_CURRENCY,
        origin_id=bid.origin_id,
        origin_code=bid.origin.code,
        starts_at=bid.starts_at,
        ends_at=bid.ends_at,
        quantity_lots=bid.quantity_lots,
        limit_ticks=bid.limit_ticks,
        duration_minutes=bid.duration_minutes,
        volume_lot_minutes=bid.volume_lot_minutes,
        group=bid.group,
        latency_micros_max=bid.latency_micros_max,
        gbps_micros=bid.gbps_micros,
        renewable_micros_min=bid.renewable_micros_min,
        regions=tuple(bid.regions),
        accelerators=tuple(bid.accelerators),
        factors_micros=tuple(bid.factors_micros),
        ai_model_id=bid.ai_model_id,
        ai_model_code=bid.ai_model.code if bid.ai_model else None,
        dtype=bid.dtype,
        project=bid.project,
        label=bid.label,
        greatest_cost_micros=bid.greatest_cost_micros,
    )
    return BidCard(
        bid.public_id,
        terms,
        bid.state,
        bid.reason_code,
        bid.reason_detail,
        bid.placed_at,
        bid.moved_at,
    )
