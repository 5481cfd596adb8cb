"""Sellers without whom what was bought could not have been served: the residual supply index.

For a seller and an hour it is (what all offered - what the seller offered) / what was sold there.
Below 1 the seller is pivotal: without it, buyers would have gone short. Sheffrin (California ISO,
"Predicting Market Power Using the Residual Supply Index", 2002) found markets competitive where the
index is below 1.1 in no more than 5 % of the hours; the European Commission's study of wholesale
electricity markets (London Economics, 2007) used the same line. So do we.

It is counted where the work was served. Work may often go to another region instead, so a pivotal
seller is pivotal at most: a reason to look, not a proof.
"""

from typing import Any, Final

from django.db import connection

from exchange.foundation.money import MICROS
from exchange.models import FindingKind
from exchange.queries.watch.blocks import GROUPED, OFFERED, SOLD
from exchange.queries.watch.findings import ROWS_MAX, Found, Span, Subject
from exchange.queries.watch.sellers import known_sellers, names_of

RSI_TIGHT_PERCENT: Final = 110
TIGHT_HOURS_PERCENT: Final = 5
# By accelerator in accelerator-hours, or all of a region's in TFLOPS.
_RSI = f"""
WITH {OFFERED}, {SOLD}, {GROUPED},
supply AS (
    SELECT region_id, CASE WHEN %(by_chip)s THEN accelerator_id ELSE 0 END AS chip_id, at,
           coalesce(lead_id, provider_id) AS lead_id,
           sum(CASE WHEN %(by_chip)s THEN lots ELSE lots::numeric * tflops_micros END) AS amount
    FROM offered JOIN exchange_accelerator AS chip ON chip.id = accelerator_id
    LEFT JOIN grouped USING (provider_id)
    GROUP BY 1, 2, 3, 4
), demand AS (
    SELECT region_id, CASE WHEN %(by_chip)s THEN accelerator_id ELSE 0 END AS chip_id, at,
           sum(CASE WHEN %(by_chip)s THEN lots ELSE lots::numeric * tflops_micros END) AS amount
    FROM sold JOIN exchange_accelerator AS chip ON chip.id = accelerator_id
    WHERE NOT resold
    GROUP BY 1, 2, 3
), residual AS (
    SELECT supply.region_id, supply.chip_id, supply.at, supply.lead_id, demand.amount AS need,
           sum(supply.amount) OVER (PARTITION BY supply.region_id, supply.chip_id, supply.at)
               - supply.amount AS rest
    FROM supply JOIN demand
      ON demand.region_id = supply.region_id AND demand.chip_id = supply.chip_id
         AND demand.at = supply.at
)
SELECT region.code, coalesce(chip.code, ''), lead_id, count(*),
       count(*) FILTER (WHERE rest < need),
       count(*) FILTER (WHERE rest * 100 < need * {RSI_TIGHT_PERCENT}),
       floor(min(rest * 1000000 / need))::bigint,
       coalesce(array_agg(at ORDER BY at) FILTER (WHERE rest < need), '{{}}')
FROM residual
JOIN exchange_region AS region ON region.id = region_id
LEFT JOIN exchange_accelerator AS chip ON chip.id = chip_id
GROUP BY region.code, chip.code, lead_id
HAVING count(*) FILTER (WHERE rest * 100 < need * {RSI_TIGHT_PERCENT}) > 0
ORDER BY 5 DESC, 6 DESC, 7, 1, 2, 3
LIMIT %(most)s
"""  # noqa: S608 - the blocks above


def pivotal_sellers(span: Span, *, by_accelerator: bool) -> list[Found]:
    """Return the sellers whose residual supply index fell below 1.1, the most pivotal first.

    ``rsi_least_micros`` is the lowest index in millionths; the hours are those in which the
    seller was pivotal. Not by accelerator, all accelerators of a region stand in for each other.
    """
    sellers = known_sellers()
    asked = {**span.params(), **sellers.params(), "by_chip": by_accelerator, "most": ROWS_MAX}
    with connection.cursor() as cursor:
        cursor.execute(_RSI, asked)
        rows = cursor.fetchall()
    who = names_of(row[2] for row in rows)
    return [_found(span, row, who[row[2]]) for row in rows]


def _found(span: Span, row: tuple[Any, ...], seller: tuple[str, str]) -> Found:
    region, chip, _lead, *numbers, when = row
    hours, pivotal, tight, least = numbers
    return Found(
        subject=Subject(
            kind=FindingKind.PIVOTAL,
            span=span,
            region=region,
            accelerator=chip,
            seller=seller[0],
        ),
        figures={
            "hours_traded": hours,
            "hours_pivotal": pivotal,
            "pivotal_share_micros": pivotal * MICROS // hours,
            "hours_tight": tight,
            "rsi_least_micros": least,
        },
        flagged=tight * 100 > hours * TIGHT_HOURS_PERCENT,
        names=dict([seller]),
        hours=tuple(when),
    )
