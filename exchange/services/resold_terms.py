"""Who sells to whom where buyers offered hours back: bids of a cell are shared among its sellers.

A fill does not say from which offer it is served, and all pay and receive the cell's price. So the
sellers of a cell are gone through in order, the site's provider first and then the resales by
their ids, and the bids in theirs; what a resale sold becomes a contract with the reseller.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from exchange.models import Auction
from settlement.services.contracts import ContractTerms, PeriodTerms

# The period of the contract that each sold hour is a part of, beside who resells it.
RESOLD = """
SELECT site.code, accelerator.code, fill.starts_at, resale.id, offer.provider_id, period.id,
       fill.quantity_lots
FROM exchange_offerfill AS fill
JOIN exchange_offer AS offer ON offer.id = fill.offer_id
JOIN settlement_resale AS resale ON resale.id = offer.resale_id
JOIN settlement_deliveryperiod AS period
    ON period.contract_id = resale.contract_id AND period.starts_at <= fill.starts_at
   AND period.ends_at >= fill.ends_at
JOIN exchange_site AS site ON site.id = offer.site_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = offer.accelerator_id
WHERE fill.auction_id = %(auction)s
ORDER BY resale.id
"""
Cell = tuple[str, str, datetime]  # site, accelerator, start


class Resold(NamedTuple):
    """So many lots of a cell come from a resale; ``period_id`` is that of its contract."""

    site: str
    accelerator: str
    starts_at: datetime
    resale_id: int
    reseller_id: int
    period_id: int
    lots: int


@dataclass(slots=True)
class _Share:
    """What one seller of a cell has not yet been matched; ``resold`` None: the site's provider."""

    resold: Resold | None
    lots: int


def resold_in(auction: Auction) -> list[Resold]:
    """Return what resales sold in a cleared auction."""
    with connection.cursor() as cursor:
        cursor.execute(RESOLD, {"auction": auction.pk})
        return [Resold(*row) for row in cursor.fetchall()]


def share_sellers(terms: Sequence[ContractTerms], resold: Sequence[Resold]) -> list[ContractTerms]:
    """Return the contracts with their sellers: some are cut in several, and nothing is lost."""
    if not resold:
        return list(terms)
    shares = _shares(terms, resold)
    return [part for each in terms for part in _parts(each, shares)]


def _shares(terms: Iterable[ContractTerms], resold: Iterable[Resold]) -> dict[Cell, list[_Share]]:
    bought: dict[Cell, int] = defaultdict(int)
    for each in terms:
        for period in each.periods:
            bought[each.site_code, each.accelerator_code, period.starts_at] += period.quantity_lots
    by_cell: dict[Cell, list[Resold]] = defaultdict(list)
    for row in resold:
        by_cell[row.site, row.accelerator, row.starts_at].append(row)
    shares = {}
    for cell, rows in by_cell.items():
        own = bought[cell] - sum(row.lots for row in rows)
        assert own >= 0, (cell, rows)
        shares[cell] = [_Share(None, own), *(_Share(row, row.lots) for row in rows)]
    return shares


def _parts(terms: ContractTerms, shares: dict[Cell, list[_Share]]) -> Iterator[ContractTerms]:
    periods: dict[tuple[int, int] | None, list[PeriodTerms]] = defaultdict(list)
    for period in terms.periods:
        cell = (terms.site_code, terms.accelerator_code, period.starts_at)
        for resold, lots in _take(shares.get(cell), period.quantity_lots):
            seller = resold and (resold.resale_id, resold.reseller_id)
            source = resold and resold.period_id
            periods[seller].append(replace(period, quantity_lots=lots, resold_from_id=source))
    for seller, sold in periods.items():
        if seller is None:
            yield replace(terms, periods=sold)
        else:
            resale_id, reseller_id = seller
            yield replace(terms, provider_id=reseller_id, resale_id=resale_id, periods=sold)


def _take(shares: list[_Share] | None, lots: int) -> Iterator[tuple[Resold | None, int]]:
    """Take so many lots from the sellers of a cell, the first first."""
    if shares is None:  # nothing of this cell is resold
        yield None, lots
        return
    for share in shares:
        taken = min(share.lots, lots)
        if taken:
            share.lots -= taken
            lots -= taken
            yield share.resold, taken
    assert lots == 0, "what is bought in a cell is what is sold there"
