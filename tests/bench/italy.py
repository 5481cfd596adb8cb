"""Ten days of a real coupled market: our prices against those that its operators published."""

import csv
import gzip
import statistics
import time
from pathlib import Path

from exchange.engine import audit
from exchange.engine.book import Book
from exchange.engine.clearing import clear
from exchange.engine.files import read_book
from exchange.engine.outcome import Clearing
from tests.bench import shared_data
from tests.bench.tables import Table

ERROR_MAX = 0.005
REPEATS = 5


def run() -> list[Table]:
    """Clear each day a few times; compare every zone price with the published one."""
    heads = ["day", "orders", "prices", "largest error", "audit failures", "seconds (median)"]
    table = Table(f"Italian days: every zone price to {ERROR_MAX}", heads)
    if not shared_data.there():
        return [Table("Italian days: the data is not on this machine", heads)]
    for folder in sorted((shared_data.FOLDER / "power-market-italy-2025-04").glob("italy-*")):
        book = read_book(folder)
        clearing, seconds = clear(book), []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            clearing = clear(book)
            seconds.append(time.perf_counter() - begun)
        errors = _errors(book, clearing, folder)
        failures = len(audit.check(book, clearing).failures)
        table.add(
            folder.name,
            len(book.bids.names) + len(book.offers.names),
            len(errors),
            f"{max(errors):.5f}",
            failures,
            f"{statistics.median(seconds):.2f}",
            holds=max(errors) <= ERROR_MAX and failures == 0,
        )
    return [table]


def _errors(book: Book, clearing: Clearing, folder: Path) -> list[float]:
    with gzip.open(folder / "published.csv.gz", "rt") as file:
        rows = csv.DictReader(file)
        published = {(row["region"], int(row["period"])): float(row["price"]) for row in rows}
    errors = []
    for pair, site in enumerate(book.pairs[0]):
        region = str(book.regions[book.sites.region[site]])
        for period in range(book.periods):
            if (region, period) in published and book.open_cells[pair, period]:
                price = int(clearing.prices.cells_ticks[pair, period]) / 1_000
                errors.append(abs(price - published[region, period]))
    return errors
