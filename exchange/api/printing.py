"""How bids and offers are written in answers; lean, because a bulk writes a thousand."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from exchange.foundation import money
from exchange.foundation.money import LOTS, MICROS, TICKS
from exchange.queries.bid_terms import BidCard, BidTerms
from exchange.queries.bids import Event, FilledHour

_MINUTES = 60
# A bulk says the same few numbers and moments again and again.
format_scaled = lru_cache(maxsize=16_384)(money.format_scaled)


def print_terms(terms: BidTerms) -> dict[str, Any]:
    """Return the economic terms under the names that a body gives them."""
    volume, latency = terms.volume_lot_minutes, terms.latency_micros_max
    duration = terms.duration_minutes
    return {
        "auction": terms.auction_public_id,
        "kind": terms.kind,
        "time_in_force": terms.time_in_force,
        "origin": terms.origin_code,
        "starts_at": print_instant(terms.starts_at),
        "ends_at": print_instant(terms.ends_at),
        "quantity": format_scaled(terms.quantity_lots, scale=LOTS),
        "limit_price": format_scaled(terms.limit_ticks, scale=TICKS),
        "duration": None if duration is None else print_hours(duration),
        "volume": None if volume is None else format_scaled(volume // _MINUTES, scale=LOTS),
        "group": terms.group or None,
        "latency_ms_max": None if latency is None else format_scaled(latency, scale=MICROS),
        "gbps": format_scaled(terms.gbps_micros, scale=MICROS),
        "renewable_share_min": format_scaled(terms.renewable_micros_min, scale=MICROS),
        "regions": list(terms.regions),
        "accelerators": _print_choices(terms.accelerators, terms.factors_micros),
        "model": terms.ai_model_code,
        "dtype": terms.dtype or None,
        "project": terms.project,
        "label": terms.label,
    }


def print_bid(card: BidCard) -> dict[str, Any]:
    """Return a bid with all its economic terms repeated."""
    return {
        "id": card.public_id,
        "state": card.state,
        "reason_code": card.reason_code,
        "reason_detail": card.reason_detail,
        "placed_at": print_instant(card.placed_at),
        "moved_at": print_instant(card.moved_at),
        "currency": card.terms.currency,
        "greatest_cost": format_scaled(card.terms.greatest_cost_micros, scale=MICROS),
        **print_terms(card.terms),
    }


def print_event(event: Event) -> dict[str, Any]:
    """Return one step of a bid's story."""
    told = dict(event.told)
    filled, cheapest = told.pop("filled_lot_minutes", None), told.pop("cheapest_micros", None)
    if filled is not None:
        told["filled_unit_hours"] = format_scaled(filled // _MINUTES, scale=LOTS)
    if cheapest is not None:
        told["cheapest_price"] = format_scaled(cheapest, scale=MICROS)
    return {"at": print_instant(event.at), "event": event.event, **told}


def print_fill(fill: FilledHour) -> dict[str, Any]:
    """Return what a bid got in one period."""
    price = fill.price_ticks
    return {
        "auction": fill.auction,
        "site": fill.site,
        "accelerator": fill.accelerator,
        "route": fill.route,
        "starts_at": print_instant(fill.starts_at),
        "ends_at": print_instant(fill.ends_at),
        "quantity": format_scaled(fill.quantity_lots, scale=LOTS),
        "price": None if price is None else format_scaled(price, scale=TICKS),
    }


@lru_cache(maxsize=1_024)  # Only ever read: the answers that share a list write it out.
def _print_choices(codes: tuple[str, ...], factors: tuple[int, ...]) -> list[dict[str, str]]:
    return [
        {"accelerator": code, "factor": format_scaled(factor, scale=MICROS)}
        for code, factor in zip(codes, factors, strict=True)
    ]


@lru_cache(maxsize=4_096)
def print_instant(at: datetime) -> str:
    """Return a moment in UTC as ISO 8601."""
    return at.isoformat().replace("+00:00", "Z")


def print_hours(minutes: int) -> str:
    """Return minutes as decimal hours."""
    return format_scaled(minutes * LOTS // _MINUTES, scale=LOTS)
