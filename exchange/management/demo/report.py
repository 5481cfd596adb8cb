"""What the day came to, on the terminal: counts, prices, use, gains, a statement, the audits."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.management.demo.platform import print_assumptions
from exchange.management.demo.progress import say, table
from exchange.management.traces.drafts import BidDraft
from exchange.models import Auction
from exchange.queries.indices import board_of

KINDS = ("hourly", "block", "volume")
LIMITS = """
SELECT
  (SELECT count(*) FROM exchange_linkprice WHERE auction_id = %(auction)s),
  (SELECT count(*) FROM exchange_powerprice WHERE auction_id = %(auction)s),
  (SELECT domestic_share_nanos FROM exchange_clearingresult WHERE auction_id = %(auction)s)
"""
USE = """
WITH sold AS (
    SELECT site.region_id, sum(fill.quantity_lots) AS lots
    FROM exchange_offerfill fill
    JOIN exchange_offer offer ON offer.id = fill.offer_id
    JOIN exchange_site site ON site.id = offer.site_id
    WHERE fill.auction_id = %(auction)s GROUP BY 1
), listed AS (
    SELECT site.region_id,
           sum(version.quantity_lots * extract(epoch FROM
               least(version.ends_at, auction.ends_at)
               - greatest(version.starts_at, auction.starts_at)) / 60
               / auction.period_minutes) AS lots
    FROM exchange_offerentry entry
    JOIN exchange_offerversion version ON version.id = entry.version_id
    JOIN exchange_auction auction ON auction.id = entry.auction_id
    JOIN exchange_offer offer ON offer.id = version.offer_id
    JOIN exchange_site site ON site.id = offer.site_id
    WHERE entry.auction_id = %(auction)s GROUP BY 1
)
SELECT region.code, coalesce(listed.lots, 0)::bigint, coalesce(sold.lots, 0)::bigint
FROM exchange_region region
LEFT JOIN listed ON listed.region_id = region.id
LEFT JOIN sold ON sold.region_id = region.id
ORDER BY 1
"""
SERVED = """
SELECT bid.kind, count(*), count(*) FILTER (WHERE answer.filled_lot_minutes > 0),
       sum(answer.filled_lot_minutes)::bigint,
       sum(coalesce(bid.volume_lot_minutes, bid.quantity_lots * coalesce(
           bid.duration_minutes, extract(epoch FROM bid.ends_at - bid.starts_at) / 60)))::bigint
FROM exchange_bidanswer answer JOIN exchange_bid bid ON bid.id = answer.bid_id
WHERE answer.auction_id = %(auction)s GROUP BY 1 ORDER BY 1
"""


def show_book(drafts: Sequence[BidDraft]) -> None:
    """Say what was bid and what was assumed."""
    kinds = {kind: sum(bid.kind == kind for bid in drafts) for kind in KINDS}
    groups = len({bid.group for bid in drafts if bid.group})
    say(f"\n{len(drafts)} bids: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    say(f"{groups} groups of alternatives")
    say("\nAssumed, since no trace says it:")
    for sentence in print_assumptions():
        say(f"  - {sentence}")


def show_limits(auction: Auction) -> None:
    """Say which limits bound, and how often."""
    links, power, policy = _ask(LIMITS, auction)[0]
    say(f"\n{links} link-hours were full, {power} region-hours at their power budget,")
    say(f"the domestic share has a price of {format_scaled(policy, scale=10**9)} per TFLOPS-hour")


def show_prices(auction: Auction) -> None:
    """Print the index of every accelerator in every region."""
    board = board_of(auction)
    heads = ["accelerator", *(code for code, _ in board.regions)]
    rows = [[code, *(_index(cell) for cell in cells)] for code, _, cells in board.rows]
    table(f"Prices, {auction.currency} per accelerator-hour (index of the day)", heads, rows)


def show_use(auction: Auction) -> None:
    """Print how much of the demand was served, and how much of each region was used."""
    rows = [
        [kind, str(bids), str(filled), f"{done / max(1, asked):.1%}"]
        for kind, bids, filled, done, asked in _ask(SERVED, auction)
    ]
    table("Demand served", ["kind", "bids", "got something", "unit-hours served"], rows)
    rows = [
        [region, _hours(listed), _hours(sold), f"{sold / max(1, listed):.1%}"]
        for region, listed, sold in _ask(USE, auction)
    ]
    table("Use by region, accelerator-hours", ["region", "offered", "sold", "use"], rows)


def show_gain(auction: Auction, isolated_micros: int) -> None:
    """Print what moving work between regions gained."""
    coupled = int(auction.result.welfare_micros)
    gain = coupled / isolated_micros - 1 if isolated_micros else 0.0
    say()
    say(f"Welfare, coupled: {_money(coupled)} {auction.currency}; proved gap {_gap(auction)}")
    say(f"Welfare, each region alone: {_money(isolated_micros)} {auction.currency}")
    say(f"Moving work between regions gained {gain:.1%}")


def _gap(auction: Auction) -> str:
    result = auction.result
    if not result.bound_micros:
        return "0"
    return f"{float(1 - result.welfare_micros / result.bound_micros):.2%}"


def _index(cell: Any) -> str:
    if cell is None:
        return ""
    if cell.index_ticks is None:
        return f"({format_scaled(cell.least_ticks, scale=TICKS)})"
    return format_scaled(cell.index_ticks, scale=TICKS)


def _hours(lots: int) -> str:
    return f"{lots / LOTS:,.0f}"


def _money(micros: int) -> str:
    return f"{micros / MICROS:,.2f}"


def _ask(query: str, auction: Auction) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"auction": auction.pk})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
