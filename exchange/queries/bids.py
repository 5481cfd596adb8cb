"""Bids to read: lists of them, and the story of one."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import F, QuerySet

from accounts.models.callers import Caller
from exchange.models import Bid, BidAnswer, BidFill, BidState, CellPrice
from exchange.models.bids import BID_STATES_LIVE
from settlement.models import Contract

FILLS_SHOWN_MAX: Final = 2_000
_DECIDED: Final = (BidState.FILLED, BidState.PARTIALLY_FILLED, BidState.UNFILLED)


class Event(NamedTuple):
    """One step in the life of a bid: when, what, and what there is to say about it."""

    at: datetime
    event: str
    told: dict[str, Any]


class FilledHour(NamedTuple):
    """What a bid got in one period, and at which price per accelerator-hour."""

    auction: str
    site: str
    accelerator: str
    route: str
    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    price_ticks: int | None


def bids_with_names(caller: Caller) -> "QuerySet[Bid]":
    """Return the bids that the caller may see, with what they are shown with."""
    return Bid.objects.visible_to(caller).select_related("auction", "origin", "ai_model")


def events_of(bid: Bid, caller: Caller) -> list[Event]:
    """Return the story of a bid, as far as it may be told: in order, from its acceptance on."""
    placed = Event(bid.placed_at, "accepted", {})
    found = [placed, *_entries(bid), *_answers(bid, caller), *_contracts(bid, caller)]
    if bid.state not in (*BID_STATES_LIVE, *_DECIDED):
        told = {"reason_code": bid.reason_code, "reason_detail": bid.reason_detail}
        found.append(Event(bid.moved_at, bid.state, told))
    return sorted(found, key=lambda event: event.at)


def fills_of(bid: Bid, caller: Caller) -> list[FilledHour]:
    """Return what the bid got in published auctions, hour by hour, with the clearing price."""
    rows = BidFill.objects.visible_to(caller).filter(bid=bid).order_by("starts_at", "pk")
    fills = list(rows.select_related("auction", "site", "accelerator", "route")[:FILLS_SHOWN_MAX])
    prices = _prices_of(fills)
    return [
        FilledHour(
            auction=fill.auction.public_id,
            site=fill.site.code,
            accelerator=fill.accelerator.code,
            route=fill.route.code,
            starts_at=fill.starts_at,
            ends_at=fill.ends_at,
            quantity_lots=fill.quantity_lots,
            price_ticks=prices.get(_cell(fill)),
        )
        for fill in fills
    ]


def _cell(fill: BidFill) -> tuple[int, int, int, int]:
    return fill.auction_id, fill.site_id, fill.accelerator_id, fill.period


def _prices_of(fills: list[BidFill]) -> dict[tuple[int, int, int, int], int]:
    rows = CellPrice.objects.filter(
        auction__in={fill.auction_id for fill in fills},
        site__in={fill.site_id for fill in fills},
        accelerator__in={fill.accelerator_id for fill in fills},
    )
    return {
        (row.auction_id, row.site_id, row.accelerator_id, row.period): row.price_ticks
        for row in rows
    }


def _entries(bid: Bid) -> Iterator[Event]:
    """Yield the books that the bid stood in when their gates closed."""
    if bid.auction is not None:
        if bid.auction.closed_at is not None and bid.state != BidState.CANCELLED:
            yield Event(bid.auction.closed_at, "entered", {"auction": bid.auction.public_id})
        return
    entries = bid.entries.filter(auction__closed_at__isnull=False)
    for auction, at in entries.values_list("auction__public_id", "auction__closed_at"):
        yield Event(at or bid.moved_at, "entered", {"auction": auction})


def _answers(bid: Bid, caller: Caller) -> Iterator[Event]:
    rows = BidAnswer.objects.visible_to(caller).filter(bid=bid, auction__published_at__isnull=False)
    for row in rows.annotate(at=F("auction__published_at")).select_related("auction"):
        told = {
            "auction": row.auction.public_id,
            "answer": row.answer,
            "detail": row.detail,
            "filled_lot_minutes": row.filled_lot_minutes,
            "cheapest_micros": row.cheapest_micros,
        }
        yield Event(row.auction.published_at or bid.moved_at, "answered", told)


def _contracts(bid: Bid, caller: Caller) -> Iterator[Event]:
    rows = Contract.objects.visible_to(caller).filter(bid_id=bid.public_id).order_by("pk")
    for contract in rows:
        told = {
            "contract": contract.public_id,
            "auction": contract.auction_id,
            "site": contract.site_code,
            "accelerator": contract.accelerator_code,
        }
        yield Event(contract.created_at, "contracted", told)
