"""A statement's lines as CSV (RFC 4180, UTF-8), row by row, however many there are."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from exchange.foundation.money import MICROS, format_scaled
from settlement.models import Statement
from settlement.queries.energy_method import energy_method, factor_source
from settlement.queries.line_transfers import Moved, transfers_of, transfers_of_line
from settlement.queries.statement_lines import AT_ONCE, Line, all_lines
from settlement.queries.statements import hours_of

LINE_COLUMNS = (
    "line",
    "kind",
    "contract",
    "auction",
    "provider",
    "site",
    "region",
    "accelerator",
    "period_start",
    "period_end",
    "run",
    "accelerator_hours",
    "price",
    "exact_amount",
    "amount",
    "currency",
    "energy_kwh",
    "co2_kg",
    "energy_method",
    "grid_kg_per_kwh",
    "grid_source",
    "transfers",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run instead of show
Item = TypeVar("Item")


def statement_csv(statement: Statement) -> Iterator[str]:
    """Yield the rows of a statement's lines, a header first."""
    yield csv_row(LINE_COLUMNS)
    for lines in batched(all_lines(statement), AT_ONCE):
        moved = transfers_of(lines)
        yield "".join(csv_row(_cells(statement, line, moved)) for line in lines)


def csv_row(cells: Sequence[str]) -> str:
    """Return one row of CSV with its line end."""
    return str(_write(cells))


def plain(text: str) -> str:
    """Return a text of somebody's as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of up to ``size`` items."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


class _Echo:
    """A file that hands back what is written."""

    def write(self, line: str) -> str:
        return line


_write = csv.writer(_Echo()).writerow


def _cells(statement: Statement, line: Line, moved: Moved) -> tuple[str, ...]:
    return (
        str(line.line_no),
        line.kind,
        line.contract,
        line.auction,
        plain(line.provider),
        line.site,
        line.region,
        line.accelerator,
        line.starts_at.isoformat(),
        line.ends_at.isoformat(),
        str(line.run_no),
        hours_of(line.delivered_ms),
        line.price,
        format_scaled(line.exact_micros, scale=MICROS),
        format_scaled(line.billed_minor, scale=10**statement.minor_digits),
        statement.currency,
        format_scaled(line.energy_wh, scale=1_000),
        format_scaled(line.co2_grams, scale=1_000),
        energy_method(line),
        format_scaled(line.kg_per_kwh_micros, scale=MICROS),
        factor_source(line),
        " ".join(str(transfer_id) for transfer_id in transfers_of_line(line, moved)),
    )
