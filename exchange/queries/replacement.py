"""What an accelerator-hour costs elsewhere: quotes that settlement asks for after a shortfall."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection

from settlement.services.replacement import Wanted

# The latest published auction that sold the hour; another site of the region before one elsewhere,
# and the cheapest of those.
CHEAPEST = """
SELECT DISTINCT ON (wanted.id) wanted.id, price.price_ticks
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
    AS wanted (id, site, region, accelerator, starts_at)
JOIN exchange_auction AS auction
    ON auction.state = 'published' AND auction.starts_at <= wanted.starts_at
   AND auction.ends_at > wanted.starts_at
JOIN exchange_accelerator AS accelerator ON accelerator.code = wanted.accelerator
JOIN exchange_cellprice AS price
    ON price.auction_id = auction.id AND price.accelerator_id = accelerator.id
   AND price.period = floor(extract(epoch FROM wanted.starts_at - auction.starts_at)
                            / (60 * auction.period_minutes))
JOIN exchange_site AS site ON site.id = price.site_id AND site.code <> wanted.site
JOIN exchange_region AS region ON region.id = site.region_id
ORDER BY wanted.id, region.code = wanted.region DESC, auction.published_at DESC,
         price.price_ticks, site.code
"""


def replacement_quotes(wanted: Sequence[Wanted]) -> Mapping[int, Decimal]:
    """Return the price of each in currency per accelerator-hour; none where it was not sold."""
    columns: list[list[Any]] = [
        [each.period_id for each in wanted],
        [each.site_code for each in wanted],
        [each.region_code for each in wanted],
        [each.accelerator_code for each in wanted],
        [each.starts_at for each in wanted],
    ]
    with connection.cursor() as cursor:
        cursor.execute(CHEAPEST, columns)
        return {period_id: Decimal(ticks).scaleb(-3) for period_id, ticks in cursor.fetchall()}
