"""What links and power budgets have left for a closed book: work sold before runs over them too.

An auction is given what its hours still have of a link or of a region's budget: the limit less the
most that work of auctions published before takes at any moment of the period. As with offers, no
auction over the same time is cleared before those whose gates closed earlier.

Hours offered back and sold again count on a link for their first buyer and for their new one: the
first still holds the contract, and nobody knows who will send less. In a region they draw their
power once.
"""

from collections.abc import Mapping

import numpy as np

from exchange.engine.book import Ints
from exchange.engine.csv_text import format_csv, text_column
from exchange.foundation.money import MICROS, format_scaled
from exchange.models import Auction
from exchange.queries.copying import copy_rows_out
from exchange.queries.occupancy import busiest

LINKS = "SELECT code, gbps_micros FROM exchange_link WHERE gbps_micros IS NOT NULL ORDER BY code"
LINK_TYPES = ["text", "int8"]
LINKS_TAKEN = """
SELECT used.code,
    extract(epoch FROM fill.starts_at - auction.starts_at)::bigint / 60,
    extract(epoch FROM fill.ends_at - auction.starts_at)::bigint / 60,
    ceil(sum(fill.quantity_lots::numeric * bid.gbps_micros) / 1000)::bigint
FROM exchange_bidfill AS fill
JOIN exchange_auction AS sale ON sale.id = fill.auction_id AND sale.state = 'published'
JOIN exchange_auction AS auction ON auction.id = %(auction)s AND sale.id <> auction.id
    AND sale.starts_at < auction.ends_at AND sale.ends_at > auction.starts_at
JOIN exchange_bid AS bid ON bid.id = fill.bid_id AND bid.gbps_micros > 0
JOIN exchange_route AS route ON route.id = fill.route_id
CROSS JOIN LATERAL unnest(route.links) AS used (code)
WHERE fill.ends_at > auction.starts_at AND fill.starts_at < auction.ends_at
GROUP BY 1, 2, 3
"""
BUDGETS = """
SELECT region.code, period, min(kw_micros)
FROM exchange_powerbudget AS budget
JOIN exchange_region AS region ON region.id = budget.region_id
JOIN exchange_auction AS auction ON auction.id = %(auction)s
CROSS JOIN LATERAL generate_series(0, auction.periods - 1) AS period
CROSS JOIN LATERAL (
    SELECT auction.starts_at + period * auction.period_minutes * interval '1 minute' AS starts_at,
        auction.period_minutes * interval '1 minute' AS lasts) AS step
WHERE budget.starts_at < step.starts_at + step.lasts
  AND (budget.ends_at IS NULL OR budget.ends_at > step.starts_at)
GROUP BY region.code, period
ORDER BY region.code, period
"""
BUDGET_TYPES = ["text", "int8", "int8"]
POWER_DRAWN = """
SELECT region.code,
    extract(epoch FROM fill.starts_at - auction.starts_at)::bigint / 60,
    extract(epoch FROM fill.ends_at - auction.starts_at)::bigint / 60,
    ceil(sum(fill.quantity_lots::numeric * chip.watts_micros * site.pue_micros)
         / 1000000000000)::bigint
FROM exchange_offerfill AS fill
JOIN exchange_auction AS sale ON sale.id = fill.auction_id AND sale.state = 'published'
JOIN exchange_auction AS auction ON auction.id = %(auction)s AND sale.id <> auction.id
    AND sale.starts_at < auction.ends_at AND sale.ends_at > auction.starts_at
JOIN exchange_offer AS offer ON offer.id = fill.offer_id AND offer.resale_id IS NULL
JOIN exchange_accelerator AS chip ON chip.id = offer.accelerator_id
JOIN exchange_site AS site ON site.id = offer.site_id
JOIN exchange_region AS region ON region.id = site.region_id
WHERE fill.ends_at > auction.starts_at AND fill.starts_at < auction.ends_at
GROUP BY 1, 2, 3
"""
TAKEN_TYPES = ["text", "int8", "int8", "int8"]
Row = tuple[str, int | None, int]  # name, period or None for all, what is left


def links_table(auction: Auction) -> bytes:
    """Return ``links.csv`` of a closed book: one row for a link of which nothing is taken."""
    taken = _taken(auction, LINKS_TAKEN)
    rows: list[Row] = []
    for code, limit in copy_rows_out(LINKS, {}, LINK_TYPES):
        if code not in taken:
            rows.append((code, None, limit))
            continue
        left = np.maximum(limit - taken[code], 0).tolist()
        rows += [(code, period, amount) for period, amount in enumerate(left)]
    return _table("link", "gbps", rows)


def power_table(auction: Auction) -> bytes:
    """Return ``power.csv`` of a closed book."""
    taken = _taken(auction, POWER_DRAWN)
    rows: list[Row] = []
    for code, period, limit in copy_rows_out(BUDGETS, {"auction": auction.pk}, BUDGET_TYPES):
        drawn = int(taken[code][period]) if code in taken else 0
        rows.append((code, period, max(limit - drawn, 0)))
    return _table("region", "kw", rows)


def _taken(auction: Auction, query: str) -> Mapping[str, Ints]:
    """Return shape (periods,) by name: millionths taken at the fullest moment of each period."""
    stretches = copy_rows_out(query, {"auction": auction.pk}, TAKEN_TYPES)
    names = sorted({name for name, *_ in stretches})
    row_of = {name: row for row, name in enumerate(names)}
    numbers = np.array(
        [(row_of[name], first, end, amount) for name, first, end, amount in stretches],
        dtype=np.int64,
    ).reshape(-1, 4)
    taken = busiest(
        numbers[:, 0],
        (numbers[:, 1], numbers[:, 2]),
        numbers[:, 3],
        rows=len(names),
        periods=auction.periods,
        minutes=auction.period_minutes,
    )
    return dict(zip(names, taken, strict=True))


def _table(name: str, amount: str, rows: list[Row]) -> bytes:
    return format_csv(
        {
            name: text_column([text for text, _, _ in rows]),
            "period": text_column(["" if period is None else str(period) for _, period, _ in rows]),
            amount: text_column([format_scaled(left, scale=MICROS) for *_, left in rows]),
        }
    )
