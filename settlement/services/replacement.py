"""What the same capacity costs elsewhere, asked of whoever knows a market.

Settlement has never heard of an auction: the house that runs one registers a source of quotes
when it starts. A quote is asked for once, when a period first falls short, and stays with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Capacity that was not delivered: which, where, and when."""

    period_id: int
    site_code: str
    region_code: str
    accelerator_code: str
    starts_at: datetime


Quotes = Callable[[Sequence[Wanted]], Mapping[int, Decimal]]
"""From what is wanted to a price per accelerator-hour, by period; no row where none is known."""
_sources: list[Quotes] = []

WANTED = """
SELECT period.id, contract.site_code, contract.region_code, contract.accelerator_code,
       period.starts_at
FROM settlement_deliveryperiod AS period
JOIN settlement_contract AS contract ON contract.id = period.contract_id
WHERE period.id = ANY(%s) AND period.replacement_price IS NULL ORDER BY period.id
"""
KEEP = """
UPDATE settlement_deliveryperiod AS period SET replacement_price = quote.price
FROM unnest(%s::bigint[], %s::numeric[]) AS quote (id, price)
WHERE period.id = quote.id AND period.replacement_price IS NULL
"""


def register_quotes(source: Quotes) -> None:
    """Ask this source from now on; the same source again changes nothing."""
    if source not in _sources:
        _sources.append(source)


def quote_replacements(period_ids: Sequence[int]) -> dict[int, Decimal]:
    """Keep and return what the capacity of these periods costs elsewhere, where that is known."""
    if not period_ids or not _sources:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(WANTED, [list(period_ids)])
        wanted = [
            Wanted(
                period_id=row[0],
                site_code=row[1],
                region_code=row[2],
                accelerator_code=row[3],
                starts_at=row[4],
            )
            for row in cursor.fetchall()
        ]
        quotes: dict[int, Decimal] = {}
        for source in _sources:
            quotes = {**source(wanted), **quotes} if wanted else quotes
        if quotes:
            cursor.execute(KEEP, [list(quotes), list(quotes.values())])
    return quotes
