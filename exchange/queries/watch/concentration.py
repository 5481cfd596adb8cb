"""How concentrated a market is: the Herfindahl-Hirschman index of what was sold and offered.

The index is the sum of the squares of all sellers' shares in per cent: 10,000 is one seller alone.
Below 1,000 authorities see no cause to look (European Commission, Horizontal Merger Guidelines,
2004/C 31/03, paragraph 19); above 1,800 a market is highly concentrated (US Department of Justice
and Federal Trade Commission, Merger Guidelines, 2023, section 2.1). A seller with a fifth of a
market or more is looked at on its own (FERC Order 697, 2007: the wholesale market share screen).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from django.db import connection

from exchange.foundation.money import MICROS
from exchange.models import FindingKind
from exchange.queries.watch.blocks import OFFERED, SOLD
from exchange.queries.watch.findings import ROWS_MAX, Found, Part, Span, Subject
from exchange.queries.watch.sellers import Sellers, known_sellers, names_of

HHI_WHOLE: Final = 10_000
HHI_LOW: Final = 1_000
HHI_HIGH: Final = 1_800
SHARE_MICROS_HIGH: Final = 200_000
PARTS_MAX: Final = 50
_VOLUMES = f"""
WITH {OFFERED}, {SOLD}
SELECT region.code, chip.code, provider_id, chip.tflops_micros,
       sum(sold_lots)::bigint, sum(offered_lots)::bigint
FROM (SELECT region_id, accelerator_id, provider_id, lots AS offered_lots, 0 AS sold_lots
      FROM offered
      UNION ALL
      SELECT region_id, accelerator_id, provider_id, 0, lots FROM sold WHERE NOT resold) AS hour
JOIN exchange_region AS region ON region.id = hour.region_id
JOIN exchange_accelerator AS chip ON chip.id = hour.accelerator_id
GROUP BY region.code, chip.code, provider_id, chip.tflops_micros
"""  # noqa: S608 - the blocks above


class _Volume(NamedTuple):
    region: str
    accelerator: str
    provider: int
    tflops_micros: int
    sold_lots: int
    offered_lots: int


class _Side(NamedTuple):
    """What one group sold and offered: lots times hours, and the same in PFLOPS."""

    sold: int
    offered: int
    sold_lots: int
    offered_lots: int


def concentration(span: Span) -> list[Found]:
    """Return the index of each region's market for each accelerator, and of their sums.

    A row without an accelerator adds up all of a region, one without a region all regions;
    accelerators of several models are added up by their PFLOPS. The most concentrated first.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VOLUMES, span.params())
        volumes = [_Volume(*row) for row in cursor.fetchall()]
    sellers = known_sellers()
    sides = _by_scope(volumes, sellers)
    who = names_of({n for row in sides.values() for lead in row for n in sellers.members(lead)})
    rows = [
        _found(Subject(kind=FindingKind.CONCENTRATION, span=span, region=r, accelerator=a), row)
        for (r, a), row in sides.items()
    ]
    whole = [_with_parts(row, sides, sellers, who) for row in rows]
    return sorted(whole, key=_worst)[:ROWS_MAX]


def hhi(parts: Iterable[int]) -> int | None:
    """Return the index of parts of a whole, rounded; None where the whole is nothing.

    >>> hhi([50, 30, 20])
    3800
    """
    known = list(parts)
    whole = sum(known)
    return round(HHI_WHOLE * sum(part * part for part in known) / whole**2) if whole else None


def _by_scope(
    volumes: Iterable[_Volume], sellers: Sellers
) -> Mapping[tuple[str, str], dict[int, _Side]]:
    found: dict[tuple[str, str], dict[int, _Side]] = defaultdict(dict)
    for row in volumes:
        lead = sellers.lead(row.provider)
        for region in (row.region, ""):
            for chip in (row.accelerator, ""):
                weight = 1 if chip else row.tflops_micros
                was = found[region, chip].get(lead, _Side(0, 0, 0, 0))
                found[region, chip][lead] = _Side(
                    was.sold + row.sold_lots * weight,
                    was.offered + row.offered_lots * weight,
                    was.sold_lots + row.sold_lots,
                    was.offered_lots + row.offered_lots,
                )
    return found


def _found(subject: Subject, sides: Mapping[int, _Side]) -> Found:
    sold_whole = sum(side.sold for side in sides.values())
    sold = hhi(side.sold for side in sides.values())
    largest = max(side.sold for side in sides.values())
    figures = {
        "hhi_sold": sold,
        "hhi_offered": hhi(side.offered for side in sides.values()),
        "sellers_sold": sum(side.sold > 0 for side in sides.values()),
        "sellers_offered": sum(side.offered > 0 for side in sides.values()),
        "largest_share_micros": largest * MICROS // sold_whole if sold_whole else None,
        "sold_lot_hours": sum(side.sold_lots for side in sides.values()),
        "offered_lot_hours": sum(side.offered_lots for side in sides.values()),
    }
    return Found(subject=subject, figures=figures, flagged=(sold or 0) > HHI_HIGH)


def _with_parts(
    row: Found,
    sides: Mapping[tuple[str, str], Mapping[int, _Side]],
    sellers: Sellers,
    who: Mapping[int, tuple[str, str]],
) -> Found:
    mine = sides[row.subject.region, row.subject.accelerator]
    sold = sum(side.sold for side in mine.values())
    offered = sum(side.offered for side in mine.values())
    largest = sorted(mine, key=lambda lead: (-mine[lead].sold, -mine[lead].offered, lead))
    parts = tuple(
        Part(
            tuple(who[n][0] for n in sellers.members(lead)),
            tuple(who[n][1] for n in sellers.members(lead)),
            {
                "sold_share_micros": mine[lead].sold * MICROS // sold if sold else None,
                "offered_share_micros": mine[lead].offered * MICROS // offered if offered else None,
                "sold_lot_hours": mine[lead].sold_lots,
                "offered_lot_hours": mine[lead].offered_lots,
            },
        )
        for lead in largest[:PARTS_MAX]
    )
    return Found(subject=row.subject, figures=row.figures, flagged=row.flagged, parts=parts)


def _worst(row: Found) -> tuple[object, ...]:
    """Sort sums first, then by the index."""
    sums = (row.subject.region != "", row.subject.accelerator != "")
    return (*sums, -(row.figures["hhi_sold"] or 0), row.subject.region, row.subject.accelerator)
