"""Thin real days: our welfare against the best that the reference finds, and the time it took.

``REFERENCES=only`` lets the reference alone search, so that the clearings can be timed afterwards
with nothing beside them; ``BOOKS="10-12,11-06 to 11-10"`` takes some of the days.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exchange.engine import audit, reference
from exchange.engine.audit import Audit
from exchange.engine.book import Book
from exchange.engine.clearing import clear
from exchange.engine.files import read_book
from exchange.engine.gap import gap_of
from exchange.engine.outcome import Clearing
from tests.bench import shared_data
from tests.bench.references import best_of
from tests.bench.tables import Table

DAYS = (
    *("2017-10-12", "2017-10-18", "2017-10-25", "2017-11-02", "2017-11-08"),
    "2017-11-06,2017-11-07,2017-11-08,2017-11-09,2017-11-10",
)
SEEDS = (1, 2)
TIGHT = ("--groups", "--link-gbps", "0.5", "--power", "0.5", "--min-domestic-share", "0.7")
VARIANTS = {"free": (), "tight": TIGHT}
WELFARE_MIN, SECONDS_MAX = 0.99, 20.0
WELFARE_LEAST, SECONDS_MOST = 0.90, 40.0
GAP_TOLD = 0.01  # where the proved gap is above, the blocks that make it are named
REFERENCE_SECONDS = float(os.environ.get("REFERENCE_SECONDS", "240"))
MICROS = 1_000_000


def run() -> list[Table]:
    """Clear, audit, and compare with the reference, which may take its own time for each book."""
    heads = [
        *("days", "seed", "variant", "bids", "blocks", "seconds", "failures", "welfare"),
        *("reference", "share", "without the rule", "proved bound", "gap proved"),
        "rejected winners",
    ]
    good = Table(
        f"Real days: welfare at least {WELFARE_MIN} of the best that the reference finds in "
        f"{REFERENCE_SECONDS:.0f} s, in at most {SECONDS_MAX:.0f} s",
        heads,
    )
    least = Table(
        f"Of these, failed, below {WELFARE_LEAST} of the reference's or above {SECONDS_MOST:.0f} s",
        heads,
    )
    gaps = Table(
        f"What makes the proved gap where it is above {GAP_TOLD:.0%}: blocks that got nothing "
        "and would not lose at the certificate's prices",
        ["book", "gap proved", "missed by jobs", "by sellers", "blocks", "first of them"],
    )
    if not shared_data.there():
        return [Table("Real days: the data is not on this machine", heads)]
    wanted = os.environ.get("BOOKS", ",".join(map(_short, DAYS))).split(",")
    for days in DAYS:
        if _short(days) in wanted:
            for seed in SEEDS:
                for variant, options in VARIANTS.items():
                    _measure(good, least, gaps, about=(days, seed, variant), options=options)
    return [good, least, gaps]


def _measure(
    good: Table,
    least: Table,
    gaps: Table,
    *,
    about: tuple[str, int, str],
    options: tuple[str, ...],
) -> None:
    days, seed, _ = about
    with tempfile.TemporaryDirectory() as folder:
        make_book(Path(folder), days=days, seed=seed, options=options)
        book = read_book(Path(folder))
    best = best_of(book, REFERENCE_SECONDS)
    if os.environ.get("REFERENCES") == "only":
        print(about, best, flush=True)
        return
    begun = time.perf_counter()
    clearing = clear(book)
    seconds = time.perf_counter() - begun
    found = audit.check(book, clearing)
    share = float(clearing.welfare_micros) / max(1.0, best.welfare)
    row = _row(about, book, found, best=best, seconds=seconds)
    clean = not found.failures
    good.add(*row, holds=clean and share >= WELFARE_MIN and seconds <= SECONDS_MAX)
    if not clean or share < WELFARE_LEAST or seconds > SECONDS_MOST:
        least.add(*row, holds=False)
    if found.gap > GAP_TOLD:
        gaps.add(" ".join(row[:3]), row[-2], *_makers(book, clearing))
    print(row, flush=True)


def _row(
    about: tuple[str, int, str],
    book: Book,
    found: Audit,
    *,
    best: reference.Reference,
    seconds: float,
) -> list[str]:
    days, seed, variant = about
    welfare = float(found.welfare_micros)
    return [
        *(_short(days), str(seed), variant),
        *(str(len(book.bids.names)), str(int((book.bids.kind == 1).sum()))),
        *(f"{seconds:.1f}", str(sum(found.counts.values())), f"{welfare / MICROS:.2f}"),
        *(f"{best.welfare / MICROS:.2f}", f"{welfare / max(1.0, best.welfare):.4f}"),
        *(f"{best.free_welfare / MICROS:.2f}", f"{best.bound / MICROS:.2f}"),
        *(f"{found.gap:.4f}", str(len(found.rejected_winners))),
    ]


def _makers(book: Book, clearing: Clearing) -> tuple[str, str, int, str]:
    """Return the gap's parts, how many blocks make it, and those that would gain or hold most."""
    gap = gap_of(book, clearing)
    whole = max(float(gap.micros), 1.0)
    told = [
        f"{maker.name} ({float(maker.micros) / whole:.1%}, {maker.lot_periods / 1000:g} unit-hours)"
        for maker in gap.makers[:3]
    ]
    return (
        f"{float(gap.jobs_micros) / whole:.0%}",
        f"{float(gap.sellers_micros) / whole:.0%}",
        len(gap.makers),
        ", ".join(told),
    )


def _short(days: str) -> str:
    first, *more = (day[5:] for day in days.split(","))
    return f"{first} to {more[-1]}" if more else first


def make_book(folder: Path, *, days: str, seed: int, options: tuple[str, ...]) -> None:
    """Lay real days out as an order book, over one another where there are several."""
    words = ["--days", days, "--seed", str(seed), "--supply", "0.35", *options]
    subprocess.run(  # noqa: S603
        [sys.executable, str(shared_data.FOLDER / "real_book.py"), str(folder), *words],
        check=True,
        stdout=subprocess.DEVNULL,
    )
