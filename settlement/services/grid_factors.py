"""The table of the grid's CO2: read from a file, or added to by the operator."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.db import transaction

from exchange.foundation.money import MICROS, NotADecimal, parse_scaled
from settlement.models import GridFactor

OUR_FACTORS = Path(__file__).parents[1] / "tables" / "grid_factors.csv"
COLUMNS = ["region", "year", "kg_per_kwh", "source"]
YEARS = range(1990, 2201)
KG_MAX = 5 * MICROS  # more than the dirtiest coal


class FactorsRefused(Exception):
    """The file has a row that cannot be taken; nothing of it was."""


@dataclass(frozen=True, slots=True)
class _Row:
    region_code: str
    year: int
    grams_per_mwh: int
    source: str


def load_factors(text: str) -> int:
    """Add the rows of a CSV file that say something new; return how many.

    Columns: region (empty: anywhere else), year, kg_per_kwh, source. Raises FactorsRefused,
    which names row and column, with nothing added.
    """
    wanted = list(_rows(text))
    with transaction.atomic():
        standing = {
            (row.region_code, row.year): (row.grams_per_mwh, row.source)
            for row in GridFactor.objects.order_by("id")
        }
        fresh = [
            row
            for row in wanted
            if standing.get((row.region_code, row.year)) != (row.grams_per_mwh, row.source)
        ]
        GridFactor.objects.bulk_create(
            GridFactor(
                region_code=row.region_code,
                year=row.year,
                grams_per_mwh=row.grams_per_mwh,
                source=row.source,
            )
            for row in fresh
        )
    return len(fresh)


def _rows(text: str) -> Iterator[_Row]:
    reader = csv.DictReader(StringIO(text))
    if reader.fieldnames != COLUMNS:
        raise FactorsRefused(f"row 1: the columns are {', '.join(COLUMNS)}")
    for number, row in enumerate(reader, start=2):
        yield _Row(
            region_code=row["region"] or "",
            year=_year(row["year"], number),
            grams_per_mwh=_grams(row["kg_per_kwh"], number),
            source=_source(row["source"], number),
        )


def _year(text: str | None, number: int) -> int:
    if not (text and text.isascii() and text.isdigit() and int(text) in YEARS):
        raise FactorsRefused(f"row {number}, year: {text!r} is not a year from {YEARS.start} on")
    return int(text)


def _grams(text: str | None, number: int) -> int:
    """Return grams a MWh, which are millionths of a kilogram a kWh."""
    try:
        grams = parse_scaled(text or "", scale=MICROS)
    except NotADecimal as wrong:
        raise FactorsRefused(f"row {number}, kg_per_kwh: {wrong}") from wrong
    if not 0 <= grams <= KG_MAX:
        raise FactorsRefused(f"row {number}, kg_per_kwh: {text} is not from 0 to 5")
    return grams


def _source(text: str | None, number: int) -> str:
    if not (text and text.strip()):
        raise FactorsRefused(f"row {number}, source: every figure has one")
    return text.strip()
