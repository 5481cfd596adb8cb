"""Auctions that should have moved on and did not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from exchange.models import Auction, AuctionState
from exchange.queries.halts import book_is_halted

GRACE = timedelta(minutes=2)  # beat knocks every second; this much later something is wrong
OVERDUE = "overdue"
SLOW = "slow"
FAILED = "failed"
STUCK_MAX = 100


@dataclass(frozen=True, slots=True)
class StuckAuction:
    """An auction, since when it waits, and why it is here: ``overdue``, ``slow`` or ``failed``."""

    auction: Auction
    since: datetime
    why: str


def stuck_auctions(now: datetime) -> list[StuckAuction]:
    """Return the auctions with an alarm, and those that a step is overdue for, by their gates.

    What a halt holds back is where it should be.

    A step is overdue two minutes after it fell due; a clearing is slow when it takes twice the
    time that its auction gives it, and two minutes.
    """
    waiting = Auction.objects.exclude(state__in=[AuctionState.PUBLISHED, AuctionState.VOIDED])
    due = now - GRACE
    candidates = waiting.filter(~book_is_halted()).filter(
        ~Q(alarm_code="")
        | Q(state=AuctionState.SCHEDULED, opens_at__lt=due)
        | Q(state=AuctionState.OPEN, closes_at__lt=due)
        | Q(state=AuctionState.CLOSED, closed_at__lt=due)
        | Q(state=AuctionState.CLEARED, cleared_at__lt=due)
    )
    rows = candidates.select_related("series").order_by("closes_at", "pk")[:STUCK_MAX]
    return [found for row in rows if (found := _stuck(row, now)) is not None]


def _stuck(auction: Auction, now: datetime) -> StuckAuction | None:
    if auction.alarm_code:
        return StuckAuction(auction, auction.alarm_at or auction.closes_at, FAILED)
    since = _due_at(auction)
    if auction.state != AuctionState.CLOSED:
        return StuckAuction(auction, since, OVERDUE)
    patience = GRACE + timedelta(seconds=2 * auction.clearing_seconds)
    return StuckAuction(auction, since, SLOW) if now - since > patience else None


def _due_at(auction: Auction) -> datetime:
    moments: dict[str, datetime | None] = {
        AuctionState.SCHEDULED: auction.opens_at,
        AuctionState.OPEN: auction.closes_at,
        AuctionState.CLOSED: auction.closed_at,
        AuctionState.CLEARED: auction.cleared_at,
    }
    return moments[auction.state] or auction.closes_at
