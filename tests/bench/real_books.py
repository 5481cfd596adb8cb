"""Thin real days: our welfare against the best that the reference finds, and the time it took."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exchange.engine import audit, reference
from exchange.engine.clearing import clear
from exchange.engine.files import read_book
from tests.bench import shared_data
from tests.bench.tables import Table

DAYS = ("2017-10-12", "2017-10-18", "2017-10-25", "2017-11-02", "2017-11-08")
SEEDS = (1, 2)
TIGHT = ("--groups", "--link-gbps", "0.5", "--power", "0.5", "--min-domestic-share", "0.7")
VARIANTS = {"free": (), "tight": TIGHT}
WELFARE_MIN = 0.90
SECONDS_MAX = 40.0
REFERENCE_SECONDS = float(os.environ.get("REFERENCE_SECONDS", "240"))


def run() -> list[Table]:
    """Clear, audit, and compare with the reference, which may take its own time for each book."""
    heads = [
        *("day", "seed", "variant", "bids", "blocks", "seconds", "failures", "welfare"),
        *("reference", "without the rule", "share", "gap proved", "rejected winners"),
    ]
    table = Table(
        f"Real days: welfare at least {WELFARE_MIN} of the reference's best in "
        f"{REFERENCE_SECONDS:.0f} s, in at most {SECONDS_MAX:.0f} s",
        heads,
    )
    if not shared_data.there():
        return [Table("Real days: the data is not on this machine", heads)]
    for day in DAYS:
        for seed in SEEDS:
            for variant, options in VARIANTS.items():
                _measure(table, day=day, seed=seed, variant=variant, options=options)
    return [table]


def _measure(table: Table, *, day: str, seed: int, variant: str, options: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_book(Path(folder), day=day, seed=seed, options=options)
        book = read_book(Path(folder))
    begun = time.perf_counter()
    clearing = clear(book)
    seconds = time.perf_counter() - begun
    found = audit.check(book, clearing)
    best = reference.best_welfare(book, REFERENCE_SECONDS)
    welfare = float(clearing.welfare_micros)
    share = welfare / max(1.0, best.welfare)
    table.add(
        *(day, seed, variant, len(book.bids.names), int((book.bids.kind == 1).sum())),
        *(f"{seconds:.1f}", len(found.failures), f"{welfare / 1e6:.2f}"),
        *(f"{best.welfare / 1e6:.2f}", f"{best.free_welfare / 1e6:.2f}", f"{share:.4f}"),
        *(f"{found.gap:.4f}", len(found.rejected_winners)),
        holds=not found.failures and share >= WELFARE_MIN and seconds <= SECONDS_MAX,
    )
    print(table.rows[-1], flush=True)


def make_book(folder: Path, *, day: str, seed: int, options: tuple[str, ...]) -> None:
    """Lay one real day out as an order book."""
    words = ["--days", day, "--seed", str(seed), "--supply", "0.35", *options]
    subprocess.run(  # noqa: S603
        [sys.executable, str(shared_data.FOLDER / "real_book.py"), str(folder), *words],
        check=True,
        stdout=subprocess.DEVNULL,
    )
