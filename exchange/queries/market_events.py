"""What happened in the market, as readers of its stream are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exchange.foundation.market_time import market_now
from exchange.foundation.money import TICKS, format_scaled
from exchange.models import Auction, AuctionState, MarketEvent, MarketFreeze
from exchange.queries.indices import region_indices

REPLAYED_MAX = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One event: its place in the order of all, its kind, and what there is to say."""

    number: int
    kind: str
    told: dict[str, Any]


def latest_number() -> int:
    """Return the number of the last event, 0 before the first."""
    return MarketEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def events_after(number: int) -> list[Told] | None:
    """Return what happened after an event; None if that is more than one should be told."""
    rows = list(MarketEvent.objects.filter(pk__gt=number).order_by("pk")[: REPLAYED_MAX + 1])
    return None if len(rows) > REPLAYED_MAX else list(_told(rows))


def clock_and_gate() -> dict[str, Any]:
    """Return the market's time and the gate that closes next."""
    open_now = Auction.objects.visible_to(None).filter(state=AuctionState.OPEN)
    gate = open_now.select_related("series").order_by("closes_at").first()
    return {
        "now": market_now().isoformat(),
        "gate": gate
        and {
            "id": gate.public_id,
            "series": gate.series.name,
            "closes_at": gate.closes_at.isoformat(),
        },
    }


def _told(rows: list[MarketEvent]) -> Iterable[Told]:
    of_auctions = [row.subject for row in rows if row.kind == "auction"]
    auctions = Auction.objects.select_related("series").in_bulk(of_auctions)
    scoped = MarketFreeze.objects.select_related("series", "region", "accelerator")
    halts = scoped.in_bulk([row.subject for row in rows if row.kind == "halt"])
    for row in rows:
        if row.kind == "auction":
            told = _auction(auctions[row.subject], row.word)
        else:
            halt = halts[row.subject]
            told = {"frozen": row.word == "frozen", "reason": halt.reason}
            told |= {"scope": halt.scope, "part": halt.part}
        yield Told(row.pk, row.kind, told | {"at": row.happened_at.isoformat()})


def _auction(auction: Auction, state: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": auction.public_id,
        "series": auction.series.name,
        "state": state,
        "closes_at": auction.closes_at.isoformat(),
        "starts_at": auction.starts_at.isoformat(),
        "ends_at": auction.ends_at.isoformat(),
    }
    if state == AuctionState.PUBLISHED and auction.state == AuctionState.PUBLISHED:
        told["currency"] = auction.currency
        told["indices"] = _indices(auction.pk)
    return told


@lru_cache(maxsize=8)
def _indices(auction_id: int) -> tuple[dict[str, str | None], ...]:
    """Return the published indices of an auction: final, so they are read once."""
    return tuple(
        {
            "region": row.region,
            "accelerator": row.accelerator,
            "index": None
            if row.index_ticks is None
            else format_scaled(row.index_ticks, scale=TICKS),
        }
        for row in region_indices(Auction.objects.get(pk=auction_id))
    )
