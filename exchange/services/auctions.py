"""Auctions: announced, opened, closed at the gate, voided. Each step is one guarded UPDATE.

A step that finds its row moved on does nothing, so knocks may be lost, late or repeated.
"""

from datetime import timedelta

from django.db import connection, transaction

from accounts.models.callers import Caller
from accounts.services import audit_rows
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import MarketNow, market_now
from exchange.foundation.states import IllegalMove, LostRace, move
from exchange.models import AUCTION_MOVES, Auction, AuctionSeries, AuctionState
from exchange.queries.halts import gate_is_halted
from exchange.services.calendar import slots_after
from exchange.services.endings import Ending, end_bids_of_auction
from exchange.services.entering import enter_orders

GATES_LOCK = 7_301  # Gates close one after another: a standing bid enters one undecided book.
MARKET_ACTOR = "market"
GATE_MISSED = "gate_missed"


class AuctionNotVoidable(Exception):
    """The auction was published or voided already."""


def schedule_auctions() -> int:
    """Announce the auctions that every active series holds next; return how many were new."""
    now = market_now()
    rows = [
        Auction(
            series=series,
            opens_at=slot.closes_at - timedelta(minutes=series.open_minutes),
            closes_at=slot.closes_at,
            starts_at=slot.starts_at,
            ends_at=slot.starts_at + slot.periods * timedelta(minutes=series.period_minutes),
            periods=slot.periods,
            **{name: getattr(series, name) for name in _TERMS},
        )
        for series in AuctionSeries.objects.filter(active=True)
        for slot in slots_after(series, now)
    ]
    before = Auction.objects.count()
    Auction.objects.bulk_create(rows, ignore_conflicts=True)
    return Auction.objects.count() - before


# What an auction takes over from its series: later changes touch only auctions not yet announced.
_TERMS = (
    "period_minutes",
    "currency",
    "price_cap_ticks",
    "min_domestic_share_micros",
    "buyer_fee_ppm",
    "seller_fee_ppm",
    "tolerance_ppm",
    "penalty_factor_ppm",
    "dispute_days",
    "notice_minutes",
    "run_delays_minutes",
    "clearing_seconds",
)


def open_auction(auction_id: int) -> bool:
    """Open the book of an auction whose time has come; return whether this call did it."""
    due = Auction.objects.due_to_open().filter(~gate_is_halted(), pk=auction_id)
    return bool(due.update(state=AuctionState.OPEN, opened_at=MarketNow()))


@transaction.atomic
def close_auction(auction_id: int) -> bool:
    """Close the gate, by the database's clock, and fix what is in the book.

    The UPDATE waits for bidders, who share a lock on the row; whoever comes after them finds the
    auction closed. Returns whether this call closed it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [GATES_LOCK])
    due = Auction.objects.due_to_close().filter(~gate_is_halted(), pk=auction_id)
    if not due.update(state=AuctionState.CLOSED, closed_at=MarketNow()):
        return False
    enter_orders(auction_id)
    return True


def void_late_auctions() -> int:
    """Void auctions that were not cleared before what they sell began; return how many."""
    undecided = [AuctionState.SCHEDULED, AuctionState.OPEN, AuctionState.CLOSED]
    late = Auction.objects.filter(state__in=undecided, starts_at__lt=MarketNow())
    voided = 0
    for auction in late:
        try:
            _void(
                auction, GATE_MISSED, "delivery would have begun before the clearing", MARKET_ACTOR
            )
        except LostRace:
            continue
        voided += 1
    return voided


@transaction.atomic
def void_auction(auction: Auction, *, reason: str, actor: Caller) -> None:
    """Call an auction off: its bids end, their holds are freed, the books stay balanced.

    Raises ReasonMissing, AuctionNotVoidable once it is published or voided, and LostRace if it
    moved meanwhile.
    """
    if not reason.strip():
        raise ReasonMissing("voiding an auction needs a reason")
    try:
        _void(auction, "voided_by_operator", reason, actor_name(actor))
    except IllegalMove as refused:
        raise AuctionNotVoidable(f"the auction is {auction.state}") from refused
    audit_rows.record(actor, "void", auction, reason)


def actor_name(actor: Caller) -> str:
    """Return how a row names who acted: the user or the key, and for whom."""
    return actor.signature


@transaction.atomic
def _void(auction: Auction, code: str, detail: str, actor: str) -> None:
    move(
        auction,
        to=AuctionState.VOIDED,
        moves=AUCTION_MOVES,
        reason_code=code,
        reason_detail=detail,
        actor=actor,
        voided_at=market_now(),
    )
    end_bids_of_auction(auction, Ending("auction_voided", detail[:200], actor))
