"""What the same capacity costs elsewhere, asked of whoever knows a market.

Settlement has never heard of an auction: the house that runs one registers a source of quotes
when it starts. A quote is asked for once, when a period first falls short, and stays with it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from exchange.foundation.arrays import spelled


class Wanted(NamedTuple):
    """Capacity that was not delivered: which, where, and when."""

    period_id: int
    site_code: str
    region_code: str
    accelerator_code: str
    starts_at: datetime


Quotes = Callable[[Sequence[Wanted]], Mapping[int, Decimal]]
"""From what is wanted to a price per accelerator-hour, by period; no row where none is known."""
_sources: list[Quotes] = []

KEEP = """
UPDATE settlement_deliveryperiod AS period SET replacement_price = quote.price
FROM unnest(%s::bigint[], %s::numeric[]) AS quote (id, price)
WHERE period.id = quote.id AND period.replacement_price IS NULL
"""


def register_quotes(source: Quotes) -> None:
    """Ask this source from now on; the same source again changes nothing."""
    if source not in _sources:
        _sources.append(source)


def quote_replacements(wanted: Sequence[Wanted]) -> dict[int, Decimal]:
    """Keep and return what capacity that was never quoted costs elsewhere, where that is known.

    The caller holds the periods' rows locked.
    """
    quotes: dict[int, Decimal] = {}
    for source in _sources if wanted else ():
        quotes = {**source(wanted), **quotes}
    if quotes:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [spelled(quotes), spelled(quotes.values())])
    return quotes
