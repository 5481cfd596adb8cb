"""How offers, capacity and maintenance are written in answers."""

from typing import Any

from exchange.api.printing import print_instant
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Accelerator, MaintenanceWindow, Offer, OfferVersion, Site
from exchange.queries.capacity import Segment

_PFLOPS_SCALE = LOTS * MICROS * 1_000  # lots x millionths of TFLOPS, in PFLOPS


def print_offer(offer: Offer) -> dict[str, Any]:
    """Return an offer that was read with its terms."""
    assert offer.terms is not None, offer
    return {
        "id": offer.public_id,
        "version": offer.terms.number,
        "state": offer.state,
        "reason_code": offer.reason_code,
        "reason_detail": offer.reason_detail,
        "created_at": print_instant(offer.created_at),
        "site": offer.site.code,
        "region": offer.site.region.code,
        "accelerator": offer.accelerator.code,
        **_print_terms(offer.terms),
        "label": offer.label,
    }


def print_version(version: OfferVersion) -> dict[str, Any]:
    """Return one version of an offer."""
    created_at = print_instant(version.created_at)
    return {"version": version.number, "created_at": created_at, **_print_terms(version)}


def print_segment(site: Site, chip: Accelerator, segment: Segment) -> dict[str, Any]:
    """Return what a site has of one accelerator in one stretch of time."""
    amounts = {
        "standing": segment.standing,
        "maintenance": segment.down,
        "contracted": segment.contracted,
        "offered": segment.promised,
        "free": segment.free,
    }
    pflops = segment.standing * (chip.tflops_micros or 0) * 1_000 // _PFLOPS_SCALE
    return {
        "site": site.code,
        "region": site.region.code,
        "accelerator": chip.code,
        "starts_at": print_instant(segment.starts_at),
        "ends_at": print_instant(segment.ends_at),
        **{name: format_scaled(lots, scale=LOTS) for name, lots in amounts.items()},
        "standing_pflops": format_scaled(pflops, scale=1_000),
    }


def print_maintenance(window: MaintenanceWindow) -> dict[str, Any]:
    """Return a planned window that was read with its site and accelerator."""
    lots, off = window.quantity_lots, window.cancelled_at
    return {
        "id": window.public_id,
        "site": window.site.code,
        "accelerator": window.accelerator.code if window.accelerator else None,
        "quantity": None if lots is None else format_scaled(lots, scale=LOTS),
        "starts_at": print_instant(window.starts_at),
        "ends_at": print_instant(window.ends_at),
        "reason": window.reason,
        "created_at": print_instant(window.created_at),
        "cancelled_at": None if off is None else print_instant(off),
    }


def _print_terms(version: OfferVersion) -> dict[str, str]:
    return {
        "starts_at": print_instant(version.starts_at),
        "ends_at": print_instant(version.ends_at),
        "quantity": format_scaled(version.quantity_lots, scale=LOTS),
        "price": format_scaled(version.price_ticks, scale=TICKS),
    }
