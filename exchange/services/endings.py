"""Bids that end without a fill: rejected at the gate, voided with their auction, expired."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from exchange.models import Auction, BidState
from exchange.services.announcing import tell_bids_ended
from settlement.services.holds import resize_holds


@dataclass(frozen=True, slots=True)
class Ending:
    """Why bids end, in a stable code and in words."""

    code: str
    detail: str
    actor: str = "market"


END = """
UPDATE exchange_bid SET state = %(state)s, reason_code = %(code)s, reason_detail = %(detail)s,
    actor = %(actor)s, moved_at = market_now()
WHERE id = ANY(%(bids)s) AND state IN ('accepted', 'standing')
RETURNING id, hold_key
"""
# One hold may cover all alternatives of a job: it stays for those that are still alive.
STILL_NEEDED = """
SELECT hold_key, COALESCE(max(greatest_cost_micros) FILTER (
    WHERE state IN ('accepted', 'standing')), 0)
FROM exchange_bid WHERE hold_key = ANY(%s) GROUP BY hold_key
"""
OF_AUCTION = "SELECT id FROM exchange_bid WHERE auction_id = %s AND state = 'accepted' ORDER BY id"
WINDOW_OVER = Ending("window_over", "the last moment at which it could start has passed")


def end_bids(bid_ids: Sequence[int], state: str, ending: Ending) -> int:
    """End live bids that got nothing, and free what was held for them; return how many."""
    if not bid_ids:
        return 0
    stated = {"state": state, "code": ending.code, "detail": ending.detail, "actor": ending.actor}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(END, {**stated, "bids": list(bid_ids)})
        ended = cursor.fetchall()
        keys = [key for _, key in ended]
        cursor.execute(STILL_NEEDED, [sorted(set(keys))])
        resize_holds(dict(cursor.fetchall()), ending.code)
        tell_bids_ended([bid_id for bid_id, _ in ended])
    return len(keys)


def end_bids_of_auction(auction: Auction, ending: Ending) -> int:
    """End the bids that live for this auction alone; standing ones wait for the next."""
    with connection.cursor() as cursor:
        cursor.execute(OF_AUCTION, [auction.pk])
        bids = [bid_id for (bid_id,) in cursor.fetchall()]
    return end_bids(bids, BidState.CANCELLED, ending)
