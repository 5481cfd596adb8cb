"""What an accelerator-hour costs elsewhere: quotes that settlement asks for after a shortfall."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.db import connection

from exchange.foundation.arrays import spelled
from settlement.services.replacement import Wanted

# The latest published auction that sold the hour; another site of the region before one elsewhere,
# and the cheapest of those.
CHEAPEST = """
SELECT DISTINCT ON (wanted.number) wanted.number, price.price_ticks
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
    AS wanted (number, site, region, accelerator, starts_at)
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
ORDER BY wanted.number, region.code = wanted.region DESC, auction.published_at DESC,
         price.price_ticks, site.code
"""


def replacement_quotes(wanted: Sequence[Wanted]) -> Mapping[int, Decimal]:
    """Return the price of each in currency per accelerator-hour; none where it was not sold."""
    asked = {each[1:]: number for number, each in enumerate(wanted)}  # many want the same hour
    columns = [asked.values(), *zip(*asked, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(CHEAPEST, [spelled(column) for column in columns])
        price = {number: Decimal(ticks).scaleb(-3) for number, ticks in cursor.fetchall()}
    found = {place: price[number] for place, number in asked.items() if number in price}
    return {each.period_id: found[each[1:]] for each in wanted if each[1:] in found}
