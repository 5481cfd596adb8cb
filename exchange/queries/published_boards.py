"""Published auctions laid out for questions about one more bid, kept for the next question."""

from functools import lru_cache

from exchange.engine.board import Board, board_of
from exchange.models import Auction, ClearingResult
from exchange.queries.archived_books import archived_clearing
from exchange.queries.publications import published_auctions

KEPT = 8  # without its bids an auction is a few megabytes


def last_published(auction_id: int | None) -> Auction | None:
    """Return the last published auction of this auction's series; without one, of any."""
    found = published_auctions().filter(result__isnull=False)
    if auction_id is not None:
        found = found.filter(series__auctions=auction_id)
    return found.first()


def published_board(auction: Auction) -> Board:
    """Lay out what a published auction leaves behind.

    :raises FolderRefused: if the archive is damaged
    """
    return _board(auction.pk, auction.result.result_sha256)


@lru_cache(maxsize=KEPT)
def _board(auction_id: int, sha256: str) -> Board:
    result = ClearingResult.objects.select_related("auction").get(pk=auction_id)
    return board_of(*archived_clearing(result))
