"""The head of a published result, in decimal strings."""

from typing import Any

from exchange.engine.outcome import NANOS
from exchange.engine.result_writing import gap_text
from exchange.foundation.money import MICROS, format_scaled
from exchange.models import ClearingResult


def certificate_of(result: ClearingResult) -> dict[str, Any]:
    """Return what an auction proved. The result was read with its auction."""
    welfare, bound = int(result.welfare_micros), int(result.bound_micros)
    return {
        "auction": result.auction.public_id,
        "complete": result.complete,
        "currency": result.auction.currency,
        "welfare": format_scaled(welfare, scale=MICROS),
        "bound": format_scaled(bound, scale=MICROS),
        "gap": gap_text(welfare, bound),
        "domestic_share_price": format_scaled(result.domestic_share_nanos, scale=NANOS),
        "bids": result.bids_count,
        "offers": result.offers_count,
        "rejected_winners": list(result.rejected_winners),
        "engine": result.engine,
        "book_sha256": result.book_sha256,
        "result_sha256": result.result_sha256,
    }
