"""What the market tells the outbox: in the database transaction of the effect, as sets."""

from collections.abc import Iterator, Sequence

from django.db import connection

from accounts.models import EventType
from accounts.services.events import NewEvent, listeners_for, write_events
from exchange.foundation.market_time import market_now
from exchange.models import Auction, Bid
from settlement.services.announcing import told_at

# What each organization bid for and what it got, and how many contracts it made, in one row.
DECIDED = """
WITH bids AS (
    SELECT bid.organization_id, count(*) AS bids,
           count(*) FILTER (WHERE answer.answer = 'filled') AS filled,
           count(*) FILTER (WHERE answer.answer = 'partially_filled') AS partially_filled
    FROM exchange_bidanswer AS answer JOIN exchange_bid AS bid ON bid.id = answer.bid_id
    WHERE answer.auction_id = %(id)s GROUP BY bid.organization_id
), contracts AS (
    SELECT organization_id, sum(bought) AS bought, sum(sold) AS sold FROM (
        SELECT buyer_id AS organization_id, count(*) AS bought, 0 AS sold
        FROM settlement_contract WHERE auction_id = %(auction)s GROUP BY buyer_id
        UNION ALL
        SELECT provider_id, 0, count(*)
        FROM settlement_contract WHERE auction_id = %(auction)s GROUP BY provider_id
    ) AS sides GROUP BY organization_id
)
SELECT organization_id, coalesce(bids, 0), coalesce(filled, 0), coalesce(partially_filled, 0),
       coalesce(bought, 0)::bigint, coalesce(sold, 0)::bigint
FROM bids FULL JOIN contracts USING (organization_id) ORDER BY organization_id
"""
ANSWERED = """
SELECT bid.organization_id, bid.public_id, bid.state, answer.answer, answer.detail
FROM exchange_bidanswer AS answer JOIN exchange_bid AS bid ON bid.id = answer.bid_id
WHERE answer.auction_id = %s AND bid.organization_id = ANY(%s) ORDER BY bid.id
"""


def tell_published(auction: Auction) -> None:
    """Tell everybody that an auction is published, each party what it came to, and of each bid."""
    write_events([_published(auction), *_decided(auction), *_answered(auction)])


def tell_bids_ended(bid_ids: Sequence[int]) -> None:
    """Tell who listens that bids ended without a fill: rejected, cancelled or expired."""
    kind = EventType.BID_DECIDED
    listening = listeners_for(kind)
    if not listening or not bid_ids:
        return
    rows = Bid.objects.filter(pk__in=bid_ids, organization__in=listening).select_related("auction")
    now = market_now()
    write_events(
        NewEvent(
            type=kind,
            organization_id=bid.organization_id,
            about=bid.public_id,
            happened_at=now,
            data={
                "bid": bid.public_id,
                "auction": bid.auction.public_id if bid.auction else None,
                "state": bid.state,
                "answer": bid.reason_code,
                "detail": bid.reason_detail,
            },
        )
        for bid in rows.order_by("pk")
    )


def _published(auction: Auction) -> NewEvent:
    assert auction.published_at is not None, "it was moved by now"
    return NewEvent(
        type=EventType.AUCTION_PUBLISHED,
        organization_id=None,
        about=auction.public_id,
        happened_at=auction.published_at,
        data={
            "auction": auction.public_id,
            "starts_at": told_at(auction.starts_at),
            "ends_at": told_at(auction.ends_at),
            "published_at": told_at(auction.published_at),
        },
    )


def _decided(auction: Auction) -> Iterator[NewEvent]:
    assert auction.published_at is not None, "it was moved by now"
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, {"id": auction.pk, "auction": auction.public_id})
        rows = cursor.fetchall()
    for organization_id, bids, filled, partially_filled, bought, sold in rows:
        yield NewEvent(
            type=EventType.AUCTION_DECIDED,
            organization_id=organization_id,
            about=auction.public_id,
            happened_at=auction.published_at,
            data={
                "auction": auction.public_id,
                "starts_at": told_at(auction.starts_at),
                "bids": bids,
                "filled": filled,
                "partially_filled": partially_filled,
                "contracts_bought": bought,
                "contracts_sold": sold,
            },
        )


def _answered(auction: Auction) -> Iterator[NewEvent]:
    assert auction.published_at is not None, "it was moved by now"
    kind = EventType.BID_DECIDED
    if not (listening := listeners_for(kind)):
        return
    with connection.cursor() as cursor:
        cursor.execute(ANSWERED, [auction.pk, list(listening)])
        rows = cursor.fetchall()
    for organization_id, bid, state, answer, detail in rows:
        yield NewEvent(
            type=kind,
            organization_id=organization_id,
            about=bid,
            happened_at=auction.published_at,
            data={
                "bid": bid,
                "auction": auction.public_id,
                "state": state,
                "answer": answer,
                "detail": detail,
            },
        )
