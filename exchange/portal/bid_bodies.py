"""A bid as the body of the request to the API that places it."""

import json
from typing import Any

from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Bid

_MINUTES = 60


def body_text(body: dict[str, Any]) -> str:
    """Return a body as it is shown and sent."""
    return json.dumps(body, indent=2, ensure_ascii=False)


def body_of_bid(bid: Bid) -> dict[str, Any]:
    """Return the body that placed a bid; read with its auction, origin and AI model."""
    latency, duration, volume = (
        bid.latency_micros_max,
        bid.duration_minutes,
        bid.volume_lot_minutes,
    )
    told = {
        "auction": bid.auction.public_id if bid.auction else None,
        "time_in_force": bid.time_in_force,
        "kind": bid.kind,
        "origin": bid.origin.code,
        "starts_at": bid.starts_at.isoformat(),
        "ends_at": bid.ends_at.isoformat(),
        "quantity": format_scaled(bid.quantity_lots, scale=LOTS),
        "limit_price": format_scaled(bid.limit_ticks, scale=TICKS),
        "duration": duration and format_scaled(duration * LOTS // _MINUTES, scale=LOTS),
        "volume": volume and format_scaled(volume // _MINUTES, scale=LOTS),
        "group": bid.group,
        "latency_ms_max": None if latency is None else format_scaled(latency, scale=MICROS),
        "gbps": bid.gbps_micros and format_scaled(bid.gbps_micros, scale=MICROS),
        "renewable_share_min": bid.renewable_micros_min
        and format_scaled(bid.renewable_micros_min, scale=MICROS),
        "regions": bid.regions,
        **_runs_on(bid),
        "project": bid.project,
        "label": bid.label,
    }
    return {name: value for name, value in told.items() if value not in (None, "", 0, [])}


def _runs_on(bid: Bid) -> dict[str, Any]:
    if bid.ai_model is not None:
        return {"model": bid.ai_model.code, "dtype": bid.dtype}
    return {
        "accelerators": [
            {"accelerator": code, "factor": format_scaled(factor, scale=MICROS)}
            for code, factor in bid.factors.items()
        ]
    }
