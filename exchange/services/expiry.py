"""Standing orders whose time is over."""

from django.db import connection, transaction

from exchange.models import BidState
from exchange.services.endings import WINDOW_OVER, end_bids
from exchange.services.standing import end_filled_in_part

# A standing bid ends when it could no longer start; not while a book that it is in is undecided.
OVER = """
SELECT bid.id FROM exchange_bid AS bid
WHERE bid.state = 'standing' AND market_now() >=
    bid.ends_at - COALESCE(bid.duration_minutes, 1) * interval '1 minute'
  AND NOT EXISTS (
    SELECT FROM exchange_bidentry AS entry
    JOIN exchange_auction AS undecided ON undecided.id = entry.auction_id
    WHERE entry.bid_id = bid.id AND undecided.state IN ('closed', 'cleared'))
ORDER BY bid.id
LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
"""
FILLED_BEFORE = "SELECT DISTINCT bid_id FROM exchange_bidfill WHERE bid_id = ANY(%s)"
OFFERS_OVER = """
UPDATE exchange_offer AS offer SET state = 'expired', reason_code = 'window_over',
    reason_detail = 'its time is over', actor = 'market', moved_at = market_now()
FROM exchange_offerversion AS version
WHERE version.id = offer.terms_id AND offer.state IN ('draft', 'active', 'paused')
  AND version.ends_at <= market_now()
"""


@transaction.atomic
def expire_orders() -> int:
    """End offers and standing bids whose time is over; return how many bids ended."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERS_OVER)
        cursor.execute(OVER)
        bids = [bid_id for (bid_id,) in cursor.fetchall()]
        cursor.execute(FILLED_BEFORE, [bids])
        filled = [bid_id for (bid_id,) in cursor.fetchall()]
    unfilled = sorted(set(bids) - set(filled))
    return end_bids(unfilled, BidState.EXPIRED, WINDOW_OVER) + end_filled_in_part(filled)
