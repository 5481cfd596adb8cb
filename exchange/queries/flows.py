"""Where work ran that came from elsewhere, and how full the links were."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from exchange.engine.book import UNLIMITED, Book
from exchange.models import Auction

_FLOWS = """
SELECT origin.code, region.code, sum(fill.quantity_lots)::bigint
FROM exchange_bidfill AS fill
JOIN exchange_route AS route ON route.id = fill.route_id
JOIN exchange_region AS origin ON origin.id = route.origin_id
JOIN exchange_region AS region ON region.id = route.region_id
WHERE fill.auction_id = %(auction)s AND (%(period)s::int IS NULL OR fill.period = %(period)s)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_LINKS = """
SELECT link.code, origin.code, region.code, fill.period,
    (sum(fill.quantity_lots * bid.gbps_micros) / 1000)::bigint
FROM exchange_bidfill AS fill
JOIN exchange_bid AS bid ON bid.id = fill.bid_id
JOIN exchange_route AS route ON route.id = fill.route_id
CROSS JOIN LATERAL unnest(route.links) AS used(code)
JOIN exchange_link AS link ON link.code = used.code
JOIN exchange_region AS origin ON origin.id = link.origin_id
JOIN exchange_region AS region ON region.id = link.region_id
WHERE fill.auction_id = %(auction)s AND (%(period)s::int IS NULL OR fill.period = %(period)s)
GROUP BY 1, 2, 3, 4 ORDER BY 1, 4
"""
_PRICES = """
SELECT link.code, max(price.price_ticks)
FROM exchange_linkprice AS price JOIN exchange_link AS link ON link.id = price.link_id
WHERE price.auction_id = %(auction)s AND (%(period)s::int IS NULL OR price.period = %(period)s)
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Flow:
    """Work of buyers in ``origin`` that ran in ``region``: lots of accelerators times periods."""

    origin: str
    region: str
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUse:
    """The busiest period of a link, in millionths of a Gbps; no limit: ``limit_micros`` is None.

    ``price_ticks`` is the highest price of a Gbps-hour, 0 where the link was never full.
    """

    link: str
    origin: str
    region: str
    used_micros: int
    limit_micros: int | None
    price_ticks: int

    @property
    def share_micros(self) -> int | None:
        """Return the part of the link that was used, in millionths."""
        if self.limit_micros is None:
            return None
        return self.used_micros * 1_000_000 // max(1, self.limit_micros)


def flows_of(auction: Auction, period: int | None = None) -> list[Flow]:
    """Return what ran where, the greatest flows first; work that stayed at home included."""
    return [Flow(*row) for row in _ask(_FLOWS, auction, period)]


def links_used(auction: Auction, book: Book, period: int | None = None) -> list[LinkUse]:
    """Return how full each link was that carried anything, in one period or in its busiest.

    Limits are those of the book that was cleared, whatever they are today.
    """
    prices = dict(_ask(_PRICES, auction, period))
    row_of = {str(name): row for row, name in enumerate(book.links)}
    busiest: dict[str, LinkUse] = {}
    for code, origin, region, at, used in _ask(_LINKS, auction, period):
        row = row_of.get(code)
        gbps = UNLIMITED if row is None else int(np.asarray(book.link_gbps_micros)[row, at])
        use = LinkUse(
            link=code,
            origin=origin,
            region=region,
            used_micros=used,
            limit_micros=None if gbps == UNLIMITED else gbps,
            price_ticks=prices.get(code, 0),
        )
        if code not in busiest or used > busiest[code].used_micros:
            busiest[code] = use
    return list(busiest.values())


def _ask(query: str, auction: Auction, period: int | None) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"auction": auction.pk, "period": period})
        rows: list[Any] = cursor.fetchall()
        return rows
