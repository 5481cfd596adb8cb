"""Capacity that was kept back while it would have earned: not offered, or offered far too dear.

The usual ask of a place (an accelerator at a site) is the median of its asks that were accepted in
the 90 days up to the end of the span, weighted by what they sold; where nothing was ever sold, the
median of its asks in the span. So do the operators of power markets make reference levels (New York
ISO, Services Tariff, Attachment H, 23.3.1.4). Looked at are the hours in which the price of that
accelerator in that region was above the usual ask.

- Not offered: what stands there and is not down, less what was promised; counted where it is more
  than a tenth of what is up (the same attachment's line for physical withholding).
- Offered too dear: what stayed unsold at an ask above the price, and above the usual ask by more
  than a half. (Attachment H lets three times as much pass, and less where a network is tight. Here
  capacity costs little to run, so we look earlier.)

What it is worth: the capacity x (price - usual ask), what it would have earned at prices that its
sale would have lowered: a bound, not a damage.
"""

from typing import Any, Final

from django.db import connection

from exchange.models import FindingKind
from exchange.queries.watch.blocks import OFFERED, PRICED, SOLD
from exchange.queries.watch.findings import ROWS_MAX, Found, Span, Subject

REFERENCE_DAYS: Final = 90
DEAR_PERCENT: Final = 150  # of the usual ask
UNOFFERED_PERCENT: Final = 10  # of what is up
_WITHHELD: Final = f"""
WITH {OFFERED}, {SOLD}, {PRICED},
ask AS (
    SELECT offer.site_id, offer.accelerator_id, version.price_ticks, 0 AS rank,
           sum(fill.quantity_lots * extract(epoch FROM fill.ends_at - fill.starts_at)) AS weight
    FROM exchange_auction AS auction
    JOIN exchange_offerfill AS fill ON fill.auction_id = auction.id
    JOIN exchange_offer AS offer ON offer.id = fill.offer_id AND offer.resale_id IS NULL
    JOIN exchange_offerversion AS version ON version.offer_id = offer.id
    JOIN exchange_offerentry AS entry
      ON entry.version_id = version.id AND entry.auction_id = auction.id
    WHERE auction.state = 'published' AND auction.starts_at < %(until)s
      AND auction.ends_at > %(until)s - interval '{REFERENCE_DAYS} days'
    GROUP BY 1, 2, 3
    UNION ALL
    SELECT site_id, accelerator_id, price_ticks, 1, sum(lots) FROM offered GROUP BY 1, 2, 3
), usual AS MATERIALIZED (
    SELECT DISTINCT ON (site_id, accelerator_id) site_id, accelerator_id, price_ticks
    FROM (SELECT site_id, accelerator_id, price_ticks, rank,
                 sum(weight) OVER (PARTITION BY site_id, accelerator_id, rank
                                   ORDER BY price_ticks) AS below,
                 sum(weight) OVER (PARTITION BY site_id, accelerator_id, rank) AS whole
          FROM ask) AS weighed
    WHERE below * 2 >= whole
    ORDER BY site_id, accelerator_id, rank, price_ticks
), dear AS MATERIALIZED (
    SELECT site.id AS site_id, site.region_id, site.provider_id, usual.accelerator_id,
           usual.price_ticks AS usual_ticks, priced.at, priced.ticks
    FROM usual
    JOIN exchange_site AS site ON site.id = usual.site_id
    JOIN priced ON priced.region_id = site.region_id
      AND priced.accelerator_id = usual.accelerator_id AND priced.ticks > usual.price_ticks
), promised AS (
    SELECT offered.site_id, offered.accelerator_id, offered.at, sum(offered.lots) AS lots,
           sum(offered.lots - coalesce(sold.lots, 0)) FILTER (
               WHERE offered.price_ticks > dear.ticks
                 AND offered.price_ticks * 100 > dear.usual_ticks * {DEAR_PERCENT}) AS above_lots
    FROM offered
    JOIN dear ON dear.site_id = offered.site_id AND dear.at = offered.at
      AND dear.accelerator_id = offered.accelerator_id
    LEFT JOIN sold ON sold.offer_id = offered.offer_id AND sold.at = offered.at
    GROUP BY 1, 2, 3
), there AS (
    SELECT dear.*, coalesce(promised.lots, 0) AS promised_lots,
           coalesce(promised.above_lots, 0) AS above_lots,
           (SELECT coalesce(sum(quantity_lots), 0) FROM exchange_sitecapacity AS capacity
            WHERE capacity.site_id = dear.site_id
              AND capacity.accelerator_id = dear.accelerator_id
              AND capacity.starts_at <= dear.at
              AND (capacity.ends_at IS NULL OR capacity.ends_at > dear.at)) AS standing_lots,
           (SELECT coalesce(sum(coalesce(down.quantity_lots, 1000000000000)), 0)
            FROM exchange_maintenancewindow AS down
            WHERE down.site_id = dear.site_id
              AND coalesce(down.accelerator_id, dear.accelerator_id) = dear.accelerator_id
              AND down.starts_at <= dear.at AND down.ends_at > dear.at
              AND (down.cancelled_at IS NULL OR down.cancelled_at > dear.at)) AS down_lots
    FROM dear LEFT JOIN promised USING (site_id, accelerator_id, at)
), up AS (
    SELECT *, greatest(standing_lots - down_lots, 0) AS up_lots FROM there
), kept_back AS (
    SELECT *, CASE WHEN (up_lots - promised_lots) * 100 > up_lots * {UNOFFERED_PERCENT}
                   THEN up_lots - promised_lots ELSE 0 END AS unoffered_lots
    FROM up
)
SELECT site.code, region.code, chip.code, provider.public_id, provider.name,
       count(*), sum(unoffered_lots)::bigint, sum(above_lots)::bigint, max(usual_ticks),
       round(avg(ticks))::bigint,
       round(sum((unoffered_lots + above_lots) * (ticks - usual_ticks)))::bigint,
       array_agg(at ORDER BY at)
FROM kept_back
JOIN exchange_site AS site ON site.id = site_id
JOIN exchange_region AS region ON region.id = kept_back.region_id
JOIN exchange_accelerator AS chip ON chip.id = accelerator_id
JOIN accounts_organization AS provider ON provider.id = site.provider_id
WHERE unoffered_lots > 0 OR above_lots > 0
GROUP BY site.id, region.id, chip.id, provider.id
ORDER BY 11 DESC, 1, 3
LIMIT %(most)s
"""  # noqa: S608 - the blocks above


def withheld_capacity(span: Span) -> list[Found]:
    """Return the places that kept capacity back in dear hours, what was worth most first.

    ``unoffered_lot_hours`` was not offered, ``above_lot_hours`` offered too dear;
    ``usual_ticks`` is the usual ask, ``price_ticks`` the mean price of those hours.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WITHHELD, {**span.params(), "most": ROWS_MAX})
        return [_found(span, row) for row in cursor.fetchall()]


def _found(span: Span, row: tuple[Any, ...]) -> Found:
    site, region, chip, seller, name, *numbers, when = row
    hours, unoffered, above, usual, ticks, margin = numbers
    return Found(
        subject=Subject(
            kind=FindingKind.WITHHELD,
            span=span,
            region=region,
            accelerator=chip,
            site=site,
            seller=seller,
        ),
        figures={
            "hours": hours,
            "unoffered_lot_hours": unoffered,
            "above_lot_hours": above,
            "usual_ticks": usual,
            "price_ticks": ticks,
            "margin_micros": margin,
        },
        flagged=True,
        names={seller: name},
        hours=tuple(when),
    )
