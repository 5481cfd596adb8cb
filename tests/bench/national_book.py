"""A national day as an order book, drawn from a seed: what the national bench clears.

Ten regions stand where the national hubs are and are linked each to its three nearest. Buyers are
mostly in the east, cheap capacity mostly in the west, so links fill; three western regions have
less power than machines; domestic chips cost more for the same work, so the domestic share binds.

Real: where the hubs are, what the chips do and draw, how large and long training jobs are
(``philly``). Assumed, each a constant here: who buys where and when, what work there is and which
chips do it, values and asks, and how scarce capacity, links and power are. Capacity, links and
power grow with demand, so that books of any size are alike.
"""

import argparse
import gzip
import json
from pathlib import Path

import numpy as np

from exchange.engine.book import Book
from exchange.engine.csv_text import Bytes, format_csv
from exchange.engine.files import book_from_tables
from tests.bench.national_demand import bid_tables, draw_demand
from tests.bench.national_facts import HUBS, MIN_DOMESTIC_SHARE, PERIODS, Size
from tests.bench.national_network import names_column, route_table
from tests.bench.national_supply import link_limits, offer_tables, power_limits

Tables = dict[str, dict[str, Bytes]]


def national_book(size: Size) -> Book:
    """Draw a book."""
    return book_from_tables(*national_tables(size))


def national_tables(size: Size) -> tuple[dict[str, object], Tables]:
    """Draw the head and the tables of a book."""
    rng = np.random.default_rng(size.seed)
    demand = draw_demand(rng, size)
    bids, choices = bid_tables(rng, size, demand)
    routes, links = route_table()
    offers, sites, draw_kw = offer_tables(rng, size, demand)
    head: dict[str, object] = {
        "format": "compute-order-book/1",
        "auction": "plain-day" if size.plain else "national-day",
        "currency": "CNY",
        "start": "2026-01-05T00:00:00+08:00",
        "period_minutes": 60,
        "periods": PERIODS,
        "price_tick": "0.001",
        "price_cap": "1000.000",
        "min_domestic_share": None if size.plain else MIN_DOMESTIC_SHARE,
    }
    chips = size.chips
    tables = {
        "regions.csv": {"region": names_column([hub.name for hub in HUBS])},
        "accelerators.csv": {
            "accelerator": names_column([chip.name for chip in chips]),
            "domestic": names_column([str(int(chip.domestic)) for chip in chips]),
            "tflops": names_column([f"{chip.tflops:g}" for chip in chips]),
            "watts": names_column([f"{chip.watts:g}" for chip in chips]),
        },
        "sites.csv": sites,
        "routes.csv": routes,
        "offers.csv": offers,
        "bids.csv": bids,
        "bid_accelerators.csv": choices,
    }
    if not size.plain:
        tables["links.csv"] = link_limits(size, demand, links)
        tables["power.csv"] = power_limits(draw_kw)
    return head, tables


def write_national_book(size: Size, folder: Path, *, packed: bool = False) -> None:
    """Draw a book into a folder, its tables plain or as ``.csv.gz``."""
    head, tables = national_tables(size)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "book.json").write_text(json.dumps(head, indent=1))
    for file, columns in tables.items():
        text = format_csv(columns)
        if packed:
            (folder / f"{file}.gz").write_bytes(gzip.compress(text, compresslevel=1, mtime=0))
        else:
            (folder / file).write_bytes(text)


def main() -> None:
    """Write one book: ``python -m tests.bench.national_book FOLDER --hourly 1000000``."""
    words = argparse.ArgumentParser(description=main.__doc__)
    words.add_argument("folder", type=Path)
    words.add_argument("--hourly", type=int, default=1_000_000)
    words.add_argument("--blocks", type=int, default=10_000)
    words.add_argument("--volumes", type=int, default=2_000)
    words.add_argument("--plain", action="store_true")
    words.add_argument("--packed", action="store_true", help="as .csv.gz")
    words.add_argument("--seed", type=int, default=1)
    said = vars(words.parse_args())
    folder, packed = said.pop("folder"), said.pop("packed")
    write_national_book(Size(**said), folder, packed=packed)


if __name__ == "__main__":
    main()
