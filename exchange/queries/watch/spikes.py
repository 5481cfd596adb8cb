"""Hours in which an accelerator cost far more than it used to at that hour of the day.

The price of an hour is the volume-weighted price of all its trades in a region; it is compared with
the median of the same region, accelerator and hour of the market's day over the 28 days before. A
spike is a price of at least one and a half times that median, of at least five days with trades. A
median and not a mean, so that yesterday's spike does not hide today's.
"""

from datetime import timedelta
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection
from numpy.typing import NDArray

from exchange.engine.book import Floats, Ints
from exchange.models import FindingKind
from exchange.queries.watch.blocks import PRICED, SOLD
from exchange.queries.watch.findings import ROWS_MAX, Found, Span, Subject

MEDIAN_DAYS: Final = 28
OBSERVED_DAYS_MIN: Final = 5
SPIKE_PERCENT: Final = 150
_HOURS: Final = f"""
WITH {SOLD}, {PRICED}
SELECT region.code, chip.code, at, extract(hour FROM at AT TIME ZONE %(zone)s)::int,
       (at AT TIME ZONE %(zone)s)::date - (%(since)s AT TIME ZONE %(zone)s)::date, ticks::float8,
       sum(sold.lots)::bigint
FROM priced JOIN sold USING (region_id, accelerator_id, at)
JOIN exchange_region AS region ON region.id = region_id
JOIN exchange_accelerator AS chip ON chip.id = accelerator_id
GROUP BY region.code, chip.code, at, ticks
ORDER BY region.code, chip.code, at
"""  # noqa: S608 - the blocks above


def price_spikes(span: Span) -> list[Found]:
    """Return the hours whose price was far above its rolling median, the steepest first."""
    first = _days_before(span)
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, {**first, "zone": settings.MARKET_TIME_ZONE})
        rows = cursor.fetchall()
    if not rows:
        return []
    keys = {
        key: number for number, key in enumerate(dict.fromkeys((r[0], r[1], r[3]) for r in rows))
    }
    series = np.array([keys[row[0], row[1], row[3]] for row in rows], dtype=np.int64)
    day = np.array([row[4] for row in rows], dtype=np.int64)
    price = np.array([row[5] for row in rows])
    median, observed = rolling_medians(series, day, price)
    steep = (observed >= OBSERVED_DAYS_MIN) & (median > 0)
    steep &= (price * 100 >= median * SPIKE_PERCENT) & (price > median)
    found = [
        _found(rows[number], span, float(median[number]), int(observed[number]))
        for number in np.flatnonzero(steep).tolist()
        if rows[number][2] >= span.since
    ]
    found.sort(key=lambda row: (-(row.figures["ratio_micros"] or 0), row.subject.at))
    return found[:ROWS_MAX]


def rolling_medians(series: Ints, day: Ints, price: Floats) -> tuple[Floats, Ints]:
    """Return for each price the median of its series over the days before, and of how many days.

    A series has at most one price a day; days are numbers. Not a number where none was seen.
    """
    at = day - day.min()
    table = np.full((int(series.max()) + 1, int(at.max()) + 1 + MEDIAN_DAYS), np.nan)
    table[series, at + MEDIAN_DAYS] = price
    windows: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(
        table, MEDIAN_DAYS, axis=1
    )
    before = np.sort(windows[series, at], axis=1)  # what is not a number comes last
    observed = (~np.isnan(before)).sum(axis=1)
    rows = np.arange(len(price))
    low = before[rows, np.maximum(observed - 1, 0) // 2]
    high = before[rows, np.minimum(observed // 2, MEDIAN_DAYS - 1)]
    return (low + high) / 2, observed


def _days_before(span: Span) -> dict[str, Any]:
    return span.params() | {"since": span.since - timedelta(days=MEDIAN_DAYS)}


def _found(row: tuple[Any, ...], span: Span, median: float, observed: int) -> Found:
    region, chip, at, _hour, _day, ticks, lots = row
    return Found(
        subject=Subject(
            kind=FindingKind.SPIKE,
            span=span,
            region=str(region),
            accelerator=str(chip),
            at=at,
        ),
        figures={
            "price_ticks": round(float(ticks)),
            "median_ticks": round(median),
            "ratio_micros": int(float(ticks) * 1_000_000 / median),
            "days": observed,
            "lot_hours": lots,
        },
        flagged=True,
        hours=(at,),
    )
