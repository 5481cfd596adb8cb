"""No order loses, in money: what rounding to the tick would take from it, the house bears.

Published prices stand on the tick and keep an order's limit to one; amounts keep it exactly
(market.md, section 5). So a buyer's price is cut to what its bid is worth, a seller's is raised to
what its offers ask, and the difference goes to the account ``rounding``. Prices here are in
currency per accelerator-hour.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from exchange.foundation.money import MICROS, TICKS
from exchange.models import Auction, BidKind
from exchange.queries.copying import copy_rows_out

SOLD = """
SELECT site.code, accelerator.code, fill.period, version.price_ticks, fill.quantity_lots
FROM exchange_offerfill AS fill
JOIN exchange_offer AS offer ON offer.id = fill.offer_id
JOIN exchange_offerentry AS entry ON entry.auction_id = fill.auction_id
JOIN exchange_offerversion AS version
  ON version.id = entry.version_id AND version.offer_id = fill.offer_id
JOIN exchange_site AS site ON site.id = offer.site_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = offer.accelerator_id
WHERE fill.auction_id = %(auction)s
"""
SOLD_TYPES = ["text", "text", "int4", "int8", "int8"]
NOTHING = Fraction(0)
Cell = tuple[str, str, int]  # site, accelerator, period
Asks = Mapping[Cell, Sequence[tuple[int, int]]]


def asks_of(auction: Auction) -> Asks:
    """Return what was sold in each cell: (ask in ticks, lots) of every offer that sold there."""
    asks: dict[Cell, list[tuple[int, int]]] = defaultdict(list)
    for site, accelerator, period, ticks, lots in copy_rows_out(
        SOLD, {"auction": auction.pk}, SOLD_TYPES
    ):
        asks[site, accelerator, period].append((ticks, lots))
    return asks


def raise_for_sellers(sold: Sequence[tuple[int, int]], price: Fraction) -> Fraction:
    """Return what a cell's seller price must rise by, so that no offer sold there loses.

    ``sold`` are (ask in ticks, lots); the loss of those above the price is spread over all.
    """
    short = sum(lots * max(Fraction(0), Fraction(ticks, TICKS) - price) for ticks, lots in sold)
    return short / Fraction(sum(lots for _, lots in sold))


def cuts_for_buyer(
    prices: Sequence[Fraction | Decimal],
    lots: Sequence[int],
    *,
    kind: str,
    limit_ticks: int,
    factor_micros: int,
    unit_lots: int,
) -> list[Fraction]:
    """Return what the buyer's price in each period falls by, so that the bid does not lose.

    ``lots`` accelerators were bought at ``prices``. A block of ``unit_lots`` units is worth its
    limit over all its periods together; of any other bid every fill is worth its limit by itself.
    """
    if kind == BidKind.BLOCK:
        worth = Fraction(limit_ticks * unit_lots * len(prices), TICKS)
        cost = sum(Fraction(price) * bought for price, bought in zip(prices, lots, strict=True))
        return [max(NOTHING, cost - worth) / sum(lots)] * len(prices)
    each, parts = limit_ticks * MICROS, TICKS * factor_micros
    return [_beyond(price, each, parts) for price in prices]


def _beyond(price: Fraction | Decimal, worth: int, parts: int) -> Fraction:
    """What a price is above ``worth / parts``; most are not, and need no fraction to say so."""
    whole, part = price.as_integer_ratio()
    over = whole * parts - worth * part
    return Fraction(over, part * parts) if over > 0 else NOTHING
