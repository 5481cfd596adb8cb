"""The closed book of one auction, read by COPY and handed to the engine as arrays.

The book never changes: its bids are those that stood when the gate closed, its offers the versions
entered then; what they may still sell, and what links and power budgets still have, follows from
auctions whose gates closed before.
"""

import json
from collections.abc import Mapping

from exchange.engine.book import Book
from exchange.engine.files import book_from_csv
from exchange.engine.layout import BOOK_FORMAT
from exchange.engine.reading_head import HEAD_FILE
from exchange.foundation.money import MICROS, TICKS, format_scaled
from exchange.models import Auction
from exchange.queries.copying import copy_out
from exchange.queries.limits_left import links_table, power_table
from exchange.queries.offers_left import offers_table
from exchange.queries.standing_left import standing_tables

REGIONS = "SELECT code AS region FROM exchange_region"
# Also chips that are no longer traded: an order of the book may name one.
ACCELERATORS = """
SELECT code AS accelerator, domestic::int AS domestic, tflops_micros * 0.000001 AS tflops,
    watts_micros * 0.000001 AS watts
FROM exchange_accelerator WHERE tflops_micros > 0 AND watts_micros > 0
"""
SITES = """
SELECT site.code AS site, region.code AS region, pue_micros * 0.000001 AS pue,
    renewable_micros * 0.000001 AS renewable_share
FROM exchange_site AS site JOIN exchange_region AS region ON region.id = site.region_id
WHERE site.id IN (
    SELECT offer.site_id FROM exchange_offerentry AS entry
    JOIN exchange_offerversion AS version ON version.id = entry.version_id
    JOIN exchange_offer AS offer ON offer.id = version.offer_id
    WHERE entry.auction_id = %(auction)s)
"""
ROUTES = """
SELECT route.code AS route, origin.code AS origin, region.code AS region,
    latency_micros * 0.000001 AS latency_ms, NULLIF(array_to_string(links, ' '), '') AS links
FROM exchange_route AS route
JOIN exchange_region AS origin ON origin.id = route.origin_id
JOIN exchange_region AS region ON region.id = route.region_id
"""
# A group is named after its first bid, so that the public book does not say whose it is.
BIDS = """
SELECT bid.public_id AS bid, kind, origin.code AS origin,
    quantity_lots * 0.001 AS quantity, limit_ticks * 0.001 AS price,
    ceil(extract(epoch FROM bid.starts_at - auction.starts_at) / 60 / period_minutes)::int AS first,
    floor(extract(epoch FROM bid.ends_at - auction.starts_at) / 60 / period_minutes)::int AS end,
    duration_minutes / period_minutes AS duration,
    (volume_lot_minutes / period_minutes) * 0.001 AS volume,
    latency_micros_max * 0.000001 AS max_latency_ms, gbps_micros * 0.000001 AS gbps,
    CASE WHEN bid."group" <> '' THEN
        min(bid.public_id) OVER (PARTITION BY organization_id, bid."group") END AS group,
    NULLIF(array_to_string(regions, ' '), '') AS regions,
    renewable_micros_min * 0.000001 AS renewable_min
FROM exchange_bid AS bid
JOIN exchange_auction AS auction ON auction.id = bid.auction_id
JOIN exchange_region AS origin ON origin.id = bid.origin_id
WHERE bid.auction_id = %(auction)s AND bid.state = 'accepted'
"""
BID_ACCELERATORS = """
SELECT public_id AS bid, unnest(accelerators) AS accelerator,
    unnest(factors_micros) * 0.000001 AS factor
FROM exchange_bid WHERE auction_id = %(auction)s AND state = 'accepted'
"""
TABLES = {
    "regions.csv": REGIONS,
    "accelerators.csv": ACCELERATORS,
    "sites.csv": SITES,
    "routes.csv": ROUTES,
    "bids.csv": BIDS,
    "bid_accelerators.csv": BID_ACCELERATORS,
}


def read_book(auction: Auction) -> Book:
    """Return the book of an auction whose gate has closed.

    :raises BookRefused: if what the database holds is no book; services should not let it happen
    """
    texts = {file: copy_out(query, {"auction": auction.pk}) for file, query in TABLES.items()}
    texts[HEAD_FILE] = json.dumps(_head(auction)).encode()
    texts["offers.csv"] = offers_table(auction)
    texts["links.csv"] = links_table(auction)
    texts["power.csv"] = power_table(auction)
    for file, rows in standing_tables(auction).items():
        texts[file] += rows
    return book_from_csv(texts)


def _head(auction: Auction) -> Mapping[str, object]:
    share = auction.min_domestic_share_micros
    return {
        "format": BOOK_FORMAT,
        "auction": auction.public_id,
        "currency": auction.currency,
        "start": auction.starts_at.isoformat(),
        "period_minutes": auction.period_minutes,
        "periods": auction.periods,
        "price_tick": format_scaled(1, scale=TICKS),
        "price_cap": format_scaled(auction.price_cap_ticks, scale=TICKS),
        "min_domestic_share": None if share is None else format_scaled(share, scale=MICROS),
    }
