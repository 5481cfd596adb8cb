"""Books whose gate has closed and whose auction is not published: what stands there may sell."""

from django.db import connection

RESALE_STANDS = """
SELECT EXISTS (
    SELECT FROM exchange_offer AS offer
    JOIN exchange_offerversion AS version ON version.offer_id = offer.id
    JOIN exchange_offerentry AS entry ON entry.version_id = version.id
    JOIN exchange_auction AS auction ON auction.id = entry.auction_id
    WHERE offer.resale_id = %s AND auction.state IN ('closed', 'cleared'))
"""


def stands_in_undecided_book(resale_id: int) -> bool:
    """Return whether an auction may still sell from this resale."""
    with connection.cursor() as cursor:
        cursor.execute(RESALE_STANDS, [resale_id])
        return bool(cursor.fetchone()[0])
