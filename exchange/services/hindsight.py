"""What would have become of a bid in the auction that was published last: no clearing, no promise.

The bid's window is laid over the published one: as it stands, else as many whole days before as
it takes. A window that then does not fit into the published horizon gets no answer.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from exchange.engine.book import UNLIMITED
from exchange.engine.book import BidKind as EngineKind
from exchange.engine.files import FolderRefused
from exchange.engine.nearest import Change, nearest_changes
from exchange.engine.shapes import Answer, Outcome, Shape
from exchange.engine.what_if import ask
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Auction
from exchange.queries.bid_terms import BidTerms
from exchange.queries.published_boards import last_published, published_board

logger = logging.getLogger(__name__)

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
KINDS: Final = {"hourly": EngineKind.HOURLY, "block": EngineKind.BLOCK, "volume": EngineKind.VOLUME}


class Hindsight(NamedTuple):
    """The published auction, by how many days the bid was moved to it, and what it would have got.

    ``changes`` each replace members of the body; times in them are those of the bid, not moved.
    """

    auction: Auction
    moved_days: int
    answer: Answer
    changes: tuple[dict[str, Any], ...]

    def moment(self, period: int) -> datetime:
        """Return the start of a published period."""
        return self.auction.starts_at + period * self.auction.period_minutes * MINUTE


def look_back(terms: BidTerms) -> Hindsight | None:
    """Ask the last published auction of the bid's series about it; None if none covers it."""
    auction = last_published(terms.auction_id)
    if auction is None:
        return None
    days = max(0, -((auction.ends_at - terms.ends_at) // DAY))
    shape = _shape(terms, auction, days)
    if shape is None:
        return None
    try:
        board = published_board(auction)
    except (FolderRefused, OSError):  # A preview does without; the hourly audit raises the alarm.
        logger.exception("the archive of auction %s cannot be read", auction.public_id)
        return None
    answer = ask(board, shape)
    if answer.outcome == Outcome.FILLED:
        return Hindsight(auction, days, answer, ())
    found = nearest_changes(board, shape)
    minutes = auction.period_minutes
    changes = tuple(_said(change, shape, terms, minutes) for change in found)
    return Hindsight(auction, days, answer, changes)


def _shape(terms: BidTerms, auction: Auction, days: int) -> Shape | None:
    """Return the bid in periods of the published auction, moved back by days."""
    step = auction.period_minutes * MINUTE
    first, early = divmod(terms.starts_at - days * DAY - auction.starts_at, step)
    end = (terms.ends_at - days * DAY - auction.starts_at) // step
    first += bool(early)
    lasting, odd = divmod(terms.duration_minutes or 0, auction.period_minutes)
    volume = (terms.volume_lot_minutes or 0) // auction.period_minutes
    room = 0 <= first < end <= (auction.ends_at - auction.starts_at) // step
    if odd or not room or lasting > end - first or (terms.volume_lot_minutes and not volume):
        return None
    bound = terms.latency_micros_max
    return Shape(
        kind=KINDS[terms.kind],
        origin=terms.origin_code,
        quantity_lots=terms.quantity_lots,
        price_ticks=terms.limit_ticks,
        first=first,
        end=end,
        duration=lasting,
        volume_lots=volume,
        latency_micros_max=UNLIMITED if bound is None else bound,
        gbps_micros=terms.gbps_micros,
        regions=frozenset(terms.regions),
        renewable_micros_min=terms.renewable_micros_min,
        factors_micros=dict(zip(terms.accelerators, terms.factors_micros, strict=True)),
    )


def _said(change: Change, before: Shape, terms: BidTerms, minutes: int) -> dict[str, Any]:
    """Return the members of a body that make this change."""
    after = change.shape
    moved = (after.first - before.first) * minutes * MINUTE
    chips = [
        {"accelerator": code, "factor": format_scaled(factor, scale=MICROS)}
        for code, factor in after.factors_micros.items()
    ]
    said: dict[str, dict[str, Any]] = {
        "limit_price": {"limit_price": format_scaled(after.price_ticks, scale=TICKS)},
        "regions": {"regions": sorted(after.regions)},
        "accelerators": {"accelerators": chips},
        "window": {
            "starts_at": (terms.starts_at + moved).isoformat(),
            "ends_at": (terms.ends_at + moved).isoformat(),
        },
        "duration": {"duration": format_scaled(after.duration * minutes * LOTS // 60, scale=LOTS)},
        "quantity": {"quantity": format_scaled(after.quantity_lots, scale=LOTS)},
        "latency_ms_max": {
            "latency_ms_max": format_scaled(max(0, after.latency_micros_max), scale=MICROS)
        },
        "renewable_share_min": {
            "renewable_share_min": format_scaled(after.renewable_micros_min, scale=MICROS)
        },
    }
    return said[change.field]
