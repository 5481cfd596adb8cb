"""Which auctions are public, and a stamp that changes when the public market does."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from exchange.foundation.market_time import market_now
from exchange.models import Auction, ClearingResult

_STAMP = """
SELECT version::text, (SELECT public_id FROM exchange_auction WHERE state = 'published'
                       ORDER BY published_at DESC LIMIT 1),
       (SELECT string_agg(id::text, ',' ORDER BY id) FROM exchange_marketfreeze
        WHERE lifted_at IS NULL)
FROM catalogue_version
"""


def published_auctions() -> "QuerySet[Auction]":
    """Return the auctions whose results are public, the latest publication first."""
    rows = Auction.objects.visible_to(None).published().select_related("series")
    return rows.order_by("-published_at")


def market_stamp() -> str:
    """Return a text that is another one after a publication, a halt, a change of the catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP)
        version, latest, halts = cursor.fetchone()
    return f"{version}/{latest or ''}/{halts or ''}"


def public_result(public_id: str) -> ClearingResult | None:
    """Return the result of a published auction with its auction and series, or None."""
    rows = ClearingResult.objects.visible_to(None)
    named = rows.select_related("auction__series")
    return named.filter(auction__public_id=public_id).first()


def book_opens_at(auction: Auction) -> datetime:
    """Return when everybody may have the whole book of a published auction."""
    assert auction.published_at is not None, auction.public_id
    return auction.published_at + timedelta(minutes=settings.BOOK_DELAY_MINUTES)


def is_book_open(auction: Auction) -> bool:
    """Return whether the whole book of a published auction is public by now."""
    return market_now() >= book_opens_at(auction)
