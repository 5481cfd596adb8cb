"""Domestic and renewable shares of what auctions cleared, beside their policy."""

from dataclasses import dataclass

from django.db import connection

from exchange.models import Auction
from exchange.queries.publications import published_auctions

AUCTIONS = 10
# Weighed as market.md does: PFLOPS-hours for the domestic share, energy for the renewable one.
_SHARES = """
SELECT fill.auction_id,
       sum(fill.quantity_lots::numeric * chip.tflops_micros),
       coalesce(sum(fill.quantity_lots::numeric * chip.tflops_micros)
                FILTER (WHERE chip.domestic), 0),
       sum(fill.quantity_lots::numeric * chip.watts_micros * site.pue_micros),
       sum(fill.quantity_lots::numeric * chip.watts_micros * site.pue_micros
           * site.renewable_micros) / 1000000
FROM exchange_bidfill AS fill
JOIN exchange_accelerator AS chip ON chip.id = fill.accelerator_id
JOIN exchange_site AS site ON site.id = fill.site_id
WHERE fill.auction_id = ANY(%s)
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class ClearedShares:
    """The shares of one published auction in millionths; None where nothing was sold."""

    auction: Auction
    domestic_micros: int | None
    renewable_micros: int | None

    @property
    def policy_micros(self) -> int | None:
        """The least domestic share that the auction was cleared under, if any."""
        return self.auction.min_domestic_share_micros


def cleared_shares() -> list[ClearedShares]:
    """Return the shares of the auctions that were published last, the latest first."""
    auctions = list(published_auctions()[:AUCTIONS])
    with connection.cursor() as cursor:
        cursor.execute(_SHARES, [[auction.pk for auction in auctions]])
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    return [
        ClearedShares(auction, _micros(domestic, work), _micros(green, energy))
        for auction in auctions
        for work, domestic, energy, green in [found.get(auction.pk, (0, 0, 0, 0))]
    ]


def _micros(part: int, whole: int) -> int | None:
    return int(part * 1_000_000 / whole) if whole else None
