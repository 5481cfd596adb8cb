"""A national day, read, cleared, audited and written, each in a process of its own; what binds."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.bench.national_book import write_national_book
from tests.bench.national_facts import Size
from tests.bench.tables import Table

SIZES: Final = tuple(map(int, os.environ.get("NATIONAL_HOURLY", "10000 100000 1000000").split()))
REPEATS: Final = int(os.environ.get("NATIONAL_REPEATS", "5"))
PATIENCE: Final = float(os.environ.get("NATIONAL_PATIENCE", "600"))
SECONDS_MAX: Final = 45.0
BYTES_MAX: Final = 4 << 30
GAP_MAX: Final = 1e-3
LINKS_FULL_MIN: Final = 0.2
REGIONS_AT_BUDGET_MIN: Final = 3
PLAIN_SECONDS_MAX: Final = 1.0
PLAIN_GAP_MAX: Final = 1e-9
PLAIN_HOURLY: Final = SIZES[-1]


def run() -> list[Table]:
    """Measure the national books of every size, then the plain one."""
    heads = [
        *("hourly bids", "runs", "read", "clear", "audit", "write", "all, s", "GB", "gap"),
        *("failures", "links full", "regions at budget", "domestic share", "its price"),
    ]
    title = f"National books: all in at most {SECONDS_MAX:g} s and 4 GiB, gap at most {GAP_MAX:g}"
    national = Table(title, heads)
    for hourly in SIZES:
        _measure(national, Size(hourly=hourly))
    title = f"Plain book: clear in at most {PLAIN_SECONDS_MAX:g} s, gap at most {PLAIN_GAP_MAX:g}"
    plain = Table(title, heads)
    _measure(plain, Size(hourly=PLAIN_HOURLY, volumes=0, plain=True))
    return [national, plain]


def _measure(table: Table, size: Size) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_national_book(size, Path(folder) / "book", packed=True)
        runs = [_run(Path(folder)) for _ in range(REPEATS)]
    found = [each for each in runs if each is not None]
    if len(found) < len(runs):
        rest = ["" for _ in table.heads[2:]]
        rest[0] = f"not done in {PATIENCE:g} s"
        table.add(f"{size.hourly:,}", len(runs), *rest, holds=False)
        return
    seconds = {
        step: statistics.median(each["seconds"][step] for each in found)
        for step in ("read", "clear", "audit", "write")
    }
    total = statistics.median(sum(each["seconds"].values()) for each in found)
    memory, last = max(each["memory"] for each in found), found[-1]
    if size.plain:
        kept = seconds["clear"] <= PLAIN_SECONDS_MAX and last["gap"] <= PLAIN_GAP_MAX
    else:
        kept = total <= SECONDS_MAX and last["gap"] <= GAP_MAX and _binds(last)
    table.add(
        *(f"{size.hourly:,}", len(found), *(f"{each:.2f}" for each in seconds.values())),
        *(f"{total:.1f}", f"{memory / 1e9:.2f}", f"{last['gap']:.1e}"),
        sum(last["failures"].values()),
        *(f"{last['links_full']:.0%}", last["regions_at_budget"]),
        *(f"{last['domestic_share']:.3f}", f"{last['share_price']:g}"),
        holds=kept and not last["failures"] and memory <= BYTES_MAX,
    )


def _binds(found: dict[str, Any]) -> bool:
    scarce = found["links_full"] >= LINKS_FULL_MIN
    drawn = found["regions_at_budget"] >= REGIONS_AT_BUDGET_MIN
    return bool(scarce and drawn and found["share_price"] > 0)


def _run(folder: Path) -> dict[str, Any] | None:
    """Run once; None if it took too long."""
    words = [sys.executable, "-m", "tests.bench.national_run"]
    try:
        done = subprocess.run(  # noqa: S603
            [*words, str(folder / "book"), str(folder / "result")],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
