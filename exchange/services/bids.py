"""Bids: placed by buyers, backed by money that is held."""

from datetime import datetime
from typing import Final

from django.db import transaction

from accounts.models.callers import Caller
from exchange.foundation.ids import new_id
from exchange.foundation.log_context import also_about
from exchange.foundation.states import LostRace, move
from exchange.models import BID_MOVES, Auction, AuctionState, Bid, BidState
from exchange.models.bids import BID_STATES_LIVE
from exchange.queries.bid_terms import BidCard
from exchange.services.auctions import actor_name
from exchange.services.bid_holds import cover_bid, lock_group, uncover_bid
from exchange.services.bid_rows import NewBid, insert_bid
from exchange.services.bid_terms import auction_named_in, read_bid_terms
from exchange.services.faults import Faults, TermsRefused
from exchange.services.gates import AuctionNotOpen, hold_gates
from exchange.services.position_limits import positions_of

CANCELLED: Final = "cancelled_by_buyer"


class BidNotFound(Exception):
    """There is no such bid, or it is not the caller's."""


class BidNotLive(Exception):
    """The bid was filled, cancelled or has ended in another way; its state no longer moves."""


@transaction.atomic
def place_bid(body: object, *, caller: Caller) -> BidCard:
    """Check a bid against the book that it names, write it, and hold the most it can cost.

    The gate stays open until this transaction ends, and no bidder waits for another. Raises
    TermsRefused, AuctionNotOpen, MarketFrozen, PositionLimitExceeded, and settlement's
    InsufficientFunds, UnknownProject and BudgetExceeded; nothing is written then.
    """
    named = auction_named_in(body)
    floor = hold_gates([named] if named else [], bidder=caller.organization_id)
    faults = Faults()
    terms = read_bid_terms(body, floor, faults)
    if named in floor.gates:
        floor.refuse_unless_open(floor.gates[named])
    if terms is None:
        raise TermsRefused(faults.found)
    halted = floor.halt_of(terms.regions, terms.accelerators)
    if halted is not None:
        raise halted
    positions = positions_of(caller.organization_id) if floor.limited else None
    beyond = positions.refusal_of_bid(terms) if positions else None
    if beyond is not None:
        raise beyond
    public_id = new_id("bid")
    hold_key = cover_bid(caller.organization_id, public_id, terms)
    bid = NewBid(public_id, caller, terms, hold_key, floor.now)
    insert_bid(bid)
    also_about(bid=public_id, auction=named or "standing")
    return bid.card()


@transaction.atomic
def cancel_bid(public_id: str, *, caller: Caller, reason: str = "") -> Bid:
    """Take a bid out of the market before its gate closes, and free its hold.

    A standing bid can be taken back between auctions, not while one that it entered is being
    cleared. Raises BidNotFound, BidNotLive and AuctionNotOpen.
    """
    own = Bid.objects.visible_to(caller).filter(organization_id=caller.organization_id)
    bid = own.filter(public_id=public_id).select_related("auction").first()
    if bid is None:
        raise BidNotFound(f"there is no bid {public_id}")
    if bid.state not in BID_STATES_LIVE:
        raise BidNotLive(f"the bid is {bid.state}")
    now = _refuse_behind_gate(bid)
    if bid.group:
        lock_group(bid.organization_id, bid.auction_id, bid.group)
    _move_away(bid, now, reason, actor_name(caller))
    bid.refresh_from_db()
    uncover_bid(bid, f"bid {bid.public_id} was cancelled")
    return bid


def _refuse_behind_gate(bid: Bid) -> datetime:
    """Share the gates that the bid waits for, and refuse once one is behind it."""
    floor = hold_gates(_gates_before(bid), even_frozen=True)
    for gate in floor.gates.values():
        floor.refuse_unless_open(gate)
    in_clearing = [AuctionState.CLOSED, AuctionState.CLEARED]
    # A fresh statement: it sees the entries of whoever closed a gate while we waited for it.
    if bid.entries.filter(auction__state__in=in_clearing).exists():
        raise AuctionNotOpen("an auction that the bid entered is being cleared")
    return floor.now


def _gates_before(bid: Bid) -> list[str]:
    if bid.auction is not None:
        return [bid.auction.public_id]
    covering = Auction.objects.overlapping(bid.starts_at, bid.ends_at)
    opened = covering.filter(state=AuctionState.OPEN)
    return list(opened.values_list("public_id", flat=True))


def _move_away(bid: Bid, now: datetime, reason: str, actor: str) -> None:
    try:
        move(
            bid,
            to=BidState.CANCELLED,
            moves=BID_MOVES,
            reason_code=CANCELLED,
            reason_detail=reason,
            actor=actor,
            moved_at=now,
        )
    except LostRace as lost:
        raise BidNotLive("the bid has just been cancelled or filled") from lost
