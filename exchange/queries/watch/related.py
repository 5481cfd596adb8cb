"""Bids and offers between organizations that are related, and what they traded with each other.

The book keeps out bids that could be served by an organization of the same owner; these are counted
as set aside. Other relations are no reason to be kept out, but to be looked at: an order between
related parties may move a price without moving work.
"""

from typing import Any, Final

from django.db import connection

from accounts.queries.relations import RELATED, related_params
from exchange.foundation.money import MICROS
from exchange.models import FindingKind
from exchange.queries.watch.findings import ROWS_MAX, Found, Span, Subject

_RELATED_TRADES: Final = f"""
WITH {RELATED}, pair AS MATERIALIZED (
    SELECT buyer_id, seller_id, array_agg(DISTINCT why ORDER BY why) AS why
    FROM (SELECT one AS buyer_id, other AS seller_id, why FROM related
          UNION ALL SELECT other, one, why FROM related) AS either
    GROUP BY 1, 2
), auction AS MATERIALIZED (
    SELECT id, public_id FROM exchange_auction
    WHERE state = 'published' AND starts_at < %(until)s AND ends_at > %(since)s
), bought AS MATERIALIZED (
    SELECT contract.buyer_id, contract.provider_id AS seller_id, count(*) AS trades,
           sum(period.quantity_lots * minutes) AS lot_minutes,
           sum(period.quantity_lots * period.price_ticks * minutes / 60)::bigint AS amount_micros
    FROM auction
    JOIN settlement_contract AS contract ON contract.auction_id = auction.public_id
    JOIN settlement_deliveryperiod AS period ON period.contract_id = contract.id
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM period.ends_at - period.starts_at)::bigint / 60) AS long (minutes)
    WHERE contract.buyer_id IN (SELECT buyer_id FROM pair)
      AND period.starts_at < %(until)s AND period.ends_at > %(since)s
    GROUP BY 1, 2
), asked AS (
    SELECT bid.id, bid.organization_id, auction.id AS auction_id
    FROM auction JOIN exchange_bid AS bid ON bid.auction_id = auction.id
    WHERE bid.organization_id IN (SELECT buyer_id FROM pair)
    UNION
    SELECT bid.id, bid.organization_id, auction.id
    FROM auction JOIN exchange_bidentry AS entry ON entry.auction_id = auction.id
    JOIN exchange_bid AS bid ON bid.id = entry.bid_id
    WHERE bid.organization_id IN (SELECT buyer_id FROM pair)
), met AS (
    SELECT pair.buyer_id, pair.seller_id, count(DISTINCT bid.id) AS bids,
           count(DISTINCT bid.id) FILTER (WHERE bid.reason_code = 'own_capacity') AS set_aside
    FROM asked
    JOIN exchange_bid AS bid ON bid.id = asked.id
    JOIN pair ON pair.buyer_id = bid.organization_id
    JOIN exchange_offerentry AS entry ON entry.auction_id = asked.auction_id
    JOIN exchange_offerversion AS version ON version.id = entry.version_id
      AND version.starts_at < bid.ends_at AND version.ends_at > bid.starts_at
    JOIN exchange_offer AS offer ON offer.id = version.offer_id
      AND offer.provider_id = pair.seller_id
    JOIN exchange_accelerator AS chip ON chip.id = offer.accelerator_id
      AND chip.code = ANY (bid.accelerators)
    JOIN exchange_site AS site ON site.id = offer.site_id
    JOIN exchange_region AS region ON region.id = site.region_id
      AND (bid.regions = '{{}}' OR region.code = ANY (bid.regions))
    GROUP BY 1, 2
)
SELECT buyer.public_id, buyer.name, seller.public_id, seller.name, pair.why,
       coalesce(trades, 0), coalesce(lot_minutes, 0)::bigint, coalesce(amount_micros, 0)::bigint,
       (SELECT sum(amount_micros) FROM bought AS all_of
        WHERE all_of.buyer_id = pair.buyer_id)::bigint,
       coalesce(bids, 0), coalesce(set_aside, 0)
FROM pair
JOIN accounts_organization AS buyer ON buyer.id = pair.buyer_id
JOIN accounts_organization AS seller ON seller.id = pair.seller_id
LEFT JOIN bought USING (buyer_id, seller_id)
LEFT JOIN met USING (buyer_id, seller_id)
WHERE trades IS NOT NULL OR bids IS NOT NULL
ORDER BY 8 DESC, 10 DESC, buyer.name, seller.name
LIMIT %(most)s
"""  # noqa: S608 - the clause above


def related_trades(span: Span) -> list[Found]:
    """Return related buyers and sellers whose orders met in a book, those that traded most first.

    ``bids`` accept what the seller had in the same book, whatever the prices; ``set_aside`` of
    them were kept out of it. ``share_micros`` is the part of all that the buyer bought.
    """
    asked = {**span.params(), **related_params(), "most": ROWS_MAX}
    with connection.cursor() as cursor:
        cursor.execute(_RELATED_TRADES, asked)
        return [_found(span, row) for row in cursor.fetchall()]


def _found(span: Span, row: tuple[Any, ...]) -> Found:
    buyer, buyer_name, seller, seller_name, why, *numbers = row
    trades, lot_minutes, amount, whole, bids, set_aside = numbers
    return Found(
        subject=Subject(kind=FindingKind.RELATED, span=span, buyer=buyer, seller=seller),
        figures={
            "trades": trades,
            "lot_hours": lot_minutes // 60,
            "amount_micros": amount,
            "share_micros": amount * MICROS // whole if whole else None,
            "bids": bids,
            "set_aside": set_aside,
        },
        flagged=trades > 0,
        names={buyer: buyer_name, seller: seller_name},
        why=tuple(why),
    )
