"""Publication: contracts are opened, holds shrink to the clearing price, bids learn their fate.

All of it is one database transaction that begins with the guarded move: killed at any point,
nothing of it was done, and the next knock does it again.
"""

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection, transaction

from exchange.foundation.market_time import market_now
from exchange.foundation.states import LostRace, move
from exchange.models import AUCTION_MOVES, Auction, AuctionState
from exchange.queries.halts import book_is_halted
from exchange.services.announcing import tell_published
from exchange.services.contract_terms import contract_terms, greatest_cost_of
from exchange.services.standing import settle_standing_holds
from settlement.services.contracts import ContractTerms, open_contracts
from settlement.services.holds import resize_holds
from settlement.services.resales import close_sold_out

RELEASED = "auction published"

# What a bid is told decides its state. A standing bid that is not filled whole goes on, unless
# another alternative of its job was taken.
END_BIDS = """
UPDATE exchange_bid AS bid
SET state = CASE answer.answer
        WHEN 'filled' THEN 'filled' WHEN 'partially_filled' THEN 'partially_filled'
        ELSE 'unfilled' END,
    reason_code = answer.answer, reason_detail = answer.detail, actor = 'market',
    moved_at = market_now()
FROM exchange_bidanswer AS answer
WHERE answer.auction_id = %(auction)s AND answer.bid_id = bid.id
  AND (bid.state = 'accepted'
       OR (bid.state = 'standing' AND answer.answer IN ('filled', 'other_alternative')))
"""
# Every hold behind a bid that lived for this auction alone: it keeps what its fills can cost.
HOLDS = """
SELECT DISTINCT bid.hold_key FROM exchange_bid AS bid
JOIN exchange_bidanswer AS answer ON answer.bid_id = bid.id AND answer.auction_id = %(auction)s
WHERE bid.auction_id = %(auction)s
"""


def publish_auction(auction_id: int) -> bool:
    """Publish a cleared auction; return whether this call did it.

    What goes wrong is recorded on the auction as an alarm and raised.
    """
    cleared = Auction.objects.filter(~book_is_halted(), pk=auction_id, state=AuctionState.CLEARED)
    auction = cleared.first()
    if auction is None:
        return False
    try:
        _publish(auction)
    except LostRace:
        return False
    except Exception as error:
        # Nothing was published; the next knock tries again, and an operator sees why it must.
        Auction.objects.filter(pk=auction_id).update(
            alarm_code="publication_failed",
            alarm_detail=f"{type(error).__name__}: {error}"[:4_000],
            alarm_at=market_now(),
        )
        raise
    return True


@transaction.atomic
def _publish(auction: Auction) -> None:
    move(
        auction,
        to=AuctionState.PUBLISHED,
        moves=AUCTION_MOVES,
        published_at=market_now(),
        alarm_code="",
        alarm_detail="",
        alarm_at=None,
    )
    terms = contract_terms(auction)
    open_contracts(terms)
    close_sold_out({each.resale_id for each in terms if each.resale_id is not None})
    costs = costs_by_hold(terms)
    settle_standing_holds(auction, costs)
    with connection.cursor() as cursor:
        cursor.execute(HOLDS, {"auction": auction.pk})
        keys = [key for (key,) in cursor.fetchall()]
        cursor.execute(END_BIDS, {"auction": auction.pk})
    resize_holds({key: costs.get(key, 0) for key in keys}, RELEASED)
    tell_published(auction)


def costs_by_hold(terms: Iterable[ContractTerms]) -> dict[str, int]:
    """Return what the contracts behind each hold can cost at most, in micro-units."""
    costs: dict[str, int] = defaultdict(int)
    for each in terms:
        costs[each.hold_key] += greatest_cost_of(each)
    return costs
