"""Holds of standing bids: one hold, for contracts already made and for what the bid still wants.

What is wanted is held in proportion to the bid's greatest cost. After an auction the hold gives up
that part of what was wanted, and keeps what the new contracts can cost.
"""

from collections.abc import Mapping, Sequence

from django.db import transaction

from exchange.foundation.market_time import MarketNow
from exchange.models import Answer, Auction, Bid, BidAnswer, BidKind, BidState
from exchange.queries.bid_terms import unit_lot_minutes
from exchange.services.endings import WINDOW_OVER
from settlement.models import Hold, LedgerAccount
from settlement.services.holds import resize_holds

RELEASED = "no longer wanted"
ENDED = (Answer.FILLED, Answer.OTHER_ALTERNATIVE)


def settle_standing_holds(auction: Auction, costs: Mapping[str, int]) -> None:
    """Shrink the holds of the standing bids in an auction that is being published."""
    answers = BidAnswer.objects.filter(auction=auction, bid__auction__isnull=True)
    freed: dict[str, int] = {}
    for answer in answers.select_related("bid"):
        bid = answer.bid
        before = wanted_cost(bid, _filled(bid) - answer.filled_lot_minutes)
        after = 0 if answer.answer in ENDED else wanted_cost(bid, _filled(bid))
        # Alternatives share a hold, and each would free the dearest: it is freed once.
        freed[bid.hold_key] = max(freed.get(bid.hold_key, 0), before - after)
    free_of_holds({key: amount - costs.get(key, 0) for key, amount in freed.items()})


def end_filled_in_part(bid_ids: Sequence[int]) -> int:
    """End standing bids whose window is over and that got something; free what they still want."""
    freed = {}
    with transaction.atomic():
        live = Bid.objects.select_for_update().filter(pk__in=bid_ids, state=BidState.STANDING)
        for bid in live.order_by("pk"):
            freed[bid.hold_key] = wanted_cost(bid, _filled(bid))
        ended = Bid.objects.filter(pk__in=bid_ids, state=BidState.STANDING).update(
            state=BidState.PARTIALLY_FILLED,
            reason_code=WINDOW_OVER.code,
            reason_detail=WINDOW_OVER.detail,
            actor=WINDOW_OVER.actor,
            moved_at=MarketNow(),
        )
        free_of_holds(freed)
    return ended


def wanted_cost(bid: Bid, filled_lot_minutes: int) -> int:
    """Return what is held for the part of a bid that is not filled, in micro-units, rounded up."""
    if bid.kind == BidKind.BLOCK:
        return 0 if filled_lot_minutes else bid.greatest_cost_micros
    total = unit_lot_minutes(
        window=bid.ends_at - bid.starts_at,
        quantity_lots=bid.quantity_lots,
        duration_minutes=bid.duration_minutes,
        volume_lot_minutes=bid.volume_lot_minutes,
    )
    left = max(total - filled_lot_minutes, 0)
    return -(-bid.greatest_cost_micros * left // total)


def free_of_holds(freed: Mapping[str, int]) -> None:
    """Free amounts of holds, with the accounts locked so that no capture comes between."""
    keys = [key for key, amount in freed.items() if amount > 0]
    accounts = Hold.objects.filter(key__in=keys).values("account_id")
    list(
        LedgerAccount.objects.select_for_update(no_key=True).filter(pk__in=accounts).order_by("pk")
    )
    still = {}
    for hold in Hold.objects.filter(key__in=keys):
        opened = hold.amount_micros - hold.captured_micros - hold.released_micros
        still[hold.key] = max(opened - freed[hold.key], 0)
    resize_holds(still, RELEASED)


def _filled(bid: Bid) -> int:
    """Lots of units times minutes that the bid got in all published auctions, this one included."""
    published = BidAnswer.objects.filter(bid=bid, auction__state="published")
    return sum(published.values_list("filled_lot_minutes", flat=True))
