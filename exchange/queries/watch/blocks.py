"""What all boards of the watch stand on: what was offered and what was sold, hour by hour.

Orders count at every full hour that they run through, in auctions that were published. An offer
counts with what it promised (what it had sold before included) in the hours that books with it
covered, each hour once however many auctions it was in; of two versions the larger one. What buyers
sell on of their contracts is no new capacity, but its price is a price.
"""

from typing import Final

# For the head of a WITH clause; %(since)s and %(until)s are the edges.
OFFERED: Final = """
entered AS MATERIALIZED (
    SELECT version.offer_id, version.quantity_lots, version.price_ticks,
           greatest(version.starts_at, min(auction.starts_at), %(since)s) AS starts_at,
           least(version.ends_at, max(auction.ends_at), %(until)s) AS ends_at
    FROM exchange_auction AS auction
    JOIN exchange_offerentry AS entry ON entry.auction_id = auction.id
    JOIN exchange_offerversion AS version ON version.id = entry.version_id
    WHERE auction.state = 'published'
      AND auction.starts_at < %(until)s AND auction.ends_at > %(since)s
    GROUP BY version.id
), offered AS MATERIALIZED (
    SELECT DISTINCT ON (entered.offer_id, hour.at)
           entered.offer_id, offer.provider_id, offer.site_id, site.region_id,
           offer.accelerator_id, hour.at, entered.quantity_lots AS lots, entered.price_ticks
    FROM entered
    JOIN exchange_offer AS offer ON offer.id = entered.offer_id AND offer.resale_id IS NULL
    JOIN exchange_site AS site ON site.id = offer.site_id
    CROSS JOIN LATERAL generate_series(
        date_trunc('hour', entered.starts_at + interval '1 hour' - interval '1 microsecond'),
        entered.ends_at - interval '1 microsecond', interval '1 hour') AS hour (at)
    ORDER BY entered.offer_id, hour.at, entered.quantity_lots DESC, entered.price_ticks
)
"""
SOLD: Final = """
sold AS MATERIALIZED (
    SELECT fill.offer_id, offer.provider_id, offer.site_id, site.region_id, offer.accelerator_id,
           offer.resale_id IS NOT NULL AS resold, hour.at,
           sum(fill.quantity_lots) AS lots,
           sum(fill.quantity_lots * cell.price_ticks) AS tick_lots
    FROM exchange_auction AS auction
    JOIN exchange_offerfill AS fill ON fill.auction_id = auction.id
    JOIN exchange_offer AS offer ON offer.id = fill.offer_id
    JOIN exchange_site AS site ON site.id = offer.site_id
    JOIN exchange_cellprice AS cell
      ON cell.auction_id = fill.auction_id AND cell.period = fill.period
         AND cell.site_id = offer.site_id AND cell.accelerator_id = offer.accelerator_id
    CROSS JOIN LATERAL generate_series(
        date_trunc('hour', greatest(fill.starts_at, %(since)s)
                           + interval '1 hour' - interval '1 microsecond'),
        least(fill.ends_at, %(until)s) - interval '1 microsecond', interval '1 hour') AS hour (at)
    WHERE auction.state = 'published'
      AND auction.starts_at < %(until)s AND auction.ends_at > %(since)s
    GROUP BY fill.offer_id, offer.id, site.id, hour.at
)
"""
# What an accelerator-hour cost in a region: the volume-weighted price of all its trades.
PRICED: Final = """
priced AS MATERIALIZED (
    SELECT region_id, accelerator_id, at, sum(tick_lots) / sum(lots) AS ticks
    FROM sold GROUP BY 1, 2, 3
)
"""
# Numbers of organizations and of the groups that they are in; others are groups of their own.
GROUPED: Final = """
grouped (provider_id, lead_id) AS (
    SELECT * FROM unnest(%(members)s::bigint[], %(leads)s::bigint[])
)
"""
