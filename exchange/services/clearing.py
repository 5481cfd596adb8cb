"""Clearing: claim a closed auction, compute with no database transaction open, check, write.

Killed at any point it leaves either nothing or a whole result. The claim only saves work: it is
an advisory lock of the worker's database session, gone the moment the worker is; should two
workers compute all the same, the guarded move lets exactly one of them write.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from fractions import Fraction

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from exchange.engine.audit import Audit
from exchange.engine.book import Book
from exchange.engine.clearing import clear_audited
from exchange.engine.files import book_sha256
from exchange.engine.outcome import Clearing
from exchange.foundation.market_time import market_now
from exchange.foundation.states import LostRace, move
from exchange.models import AUCTION_MOVES, Auction, AuctionState
from exchange.queries.books import read_book
from exchange.queries.halts import book_is_halted, gate_is_halted
from exchange.services.answers import answer_bids
from exchange.services.archives import archive_book, archive_result
from exchange.services.results import Result, analyze_results, write_result_rows

logger = logging.getLogger(__name__)

RETRY_SECONDS = 5
RETRY_SECONDS_MAX = 600


class ClearingRefused(Exception):
    """The result did not pass the audit, or the book did not read: nothing is published."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class HaltedMeanwhile(Exception):
    """An operator halted the auction, or something in its book, while it was computed."""


def clear_auction(auction_id: int) -> bool:
    """Clear one closed auction; return whether this call wrote its result.

    Whatever goes wrong is recorded on the auction as an alarm; it stays closed, and is tried
    again after a while that doubles each time.
    """
    with claimed(auction_id) as auction:
        return auction is not None and _clear_claimed(auction)


@contextmanager
def claimed(auction_id: int) -> Iterator[Auction | None]:
    """Yield a closed auction whose turn it is, kept from other workers meanwhile; None if not.

    Auctions that sell some of the same time are decided in the order of their gates, so that what
    an earlier one sold is known to a later one.
    """
    key = f"exchange/clearing/{auction_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        (mine,) = cursor.fetchone()
    if not mine:
        yield None
        return
    try:
        waiting = Auction.objects.waiting_to_be_cleared().filter(
            ~Exists(_earlier()), ~book_is_halted(), pk=auction_id
        )
        begun = waiting.order_by().update(attempts=F("attempts") + 1)
        yield Auction.objects.get(pk=auction_id) if begun else None
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _earlier() -> QuerySet[Auction]:
    """Auctions over some of the same time that are to be decided first.

    One that a halt keeps open has no book yet: what others sell meanwhile, it will find sold.
    """
    same_gate = Q(closes_at=OuterRef("closes_at"), pk__lt=OuterRef("pk"))
    return Auction.objects.filter(
        Q(closes_at__lt=OuterRef("closes_at")) | same_gate,
        ~(Q(state=AuctionState.OPEN) & Q(gate_is_halted())),
        state__in=[AuctionState.OPEN, AuctionState.CLOSED, AuctionState.CLEARED],
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )


def _clear_claimed(auction: Auction) -> bool:
    try:
        write(auction, compute(auction))
        analyze_results()
    except LostRace:
        logger.info("auction %s was cleared by another worker", auction.public_id)
        return False
    except HaltedMeanwhile:
        logger.info("auction %s was halted while it was cleared", auction.public_id)
        return False
    except DatabaseError:
        raise  # The server went away or refused: the next knock tries again.
    except Exception as error:  # noqa: BLE001  (whatever failed, an operator must see it)
        _alarm(auction, error)
        return False
    return True


def compute(auction: Auction) -> Result:
    """Read the book, clear it, and check the result. Raises ClearingRefused if it fails."""
    book = read_book(auction)
    sha256 = book_sha256(book)
    if auction.book_sha256 and auction.book_sha256 != sha256:
        raise ClearingRefused("book_changed", "the closed book is not what it was")
    Auction.objects.filter(pk=auction.pk, book_sha256="").update(book_sha256=sha256)
    archive_book(auction, book)
    started = time.monotonic()
    limit = min(auction.clearing_seconds, settings.CLEARING_SECONDS_MAX)
    clearing, audit = clear_audited(book, seconds=limit)
    seconds = time.monotonic() - started
    if not audit.is_clean:
        raise ClearingRefused("audit_failed", _failures(audit))
    return _result(auction, book, clearing, audit, seconds=seconds, sha256=sha256)


@transaction.atomic
def write(auction: Auction, result: Result) -> None:
    """Write a result in one database transaction; the move comes first, and decides who writes.

    Raises LostRace, and HaltedMeanwhile: the auction is cleared again once the halt is lifted.
    """
    if Auction.objects.filter(book_is_halted(), pk=auction.pk).exists():
        raise HaltedMeanwhile
    move(
        auction,
        to=AuctionState.CLEARED,
        moves=AUCTION_MOVES,
        cleared_at=market_now(),
        retry_at=None,
        alarm_code="",
        alarm_detail="",
        alarm_at=None,
    )
    write_result_rows(auction, result)


def _result(
    auction: Auction, book: Book, clearing: Clearing, audit: Audit, *, seconds: float, sha256: str
) -> Result:
    archive, result_sha256 = archive_result(auction, book, clearing)
    return Result(
        book=book,
        clearing=clearing,
        answers=answer_bids(book, clearing),
        rejected_winners=audit.rejected_winners,
        welfare_micros=Fraction(audit.welfare_micros),
        archive=archive,
        book_sha256=sha256,
        result_sha256=result_sha256,
        seconds=seconds,
    )


def _failures(audit: Audit) -> str:
    counts = ", ".join(f"{code}: {count}" for code, count in sorted(audit.counts.items()))
    return f"{counts}. First: {'; '.join(str(failure) for failure in audit.failures[:5])}"


def _alarm(auction: Auction, error: Exception) -> None:
    code = error.code if isinstance(error, ClearingRefused) else type(error).__name__
    wait = min(RETRY_SECONDS * 2 ** min(auction.attempts, 16), RETRY_SECONDS_MAX)
    Auction.objects.filter(pk=auction.pk, state=AuctionState.CLOSED).update(
        alarm_code=str(code)[:40],
        alarm_detail=str(error)[:4_000],
        alarm_at=market_now(),
        retry_at=Now() + timedelta(seconds=wait),
    )
    logger.error("auction %s could not be cleared: %s", auction.public_id, error, exc_info=error)
