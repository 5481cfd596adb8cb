"""``make bench ARGS="italy real_books"``: measurements, printed and written to bench-results/.

Each bench is a module of this package with ``run() -> list[Table]``. They measure ratios side by
side in one run, several times, and say the median; docs/benchmarks.md keeps what was seen.
"""

import importlib
import os
import platform
import sys
import time
from pathlib import Path

from tests.bench.house import move_in
from tests.bench.tables import Table, as_markdown

BENCHES = (
    "italy",
    "real_books",
    "bids_door",
    "bids_bulk",
    "readers",
    "pages",
    "rivals",
    "national",
    "intraday",
    "readings",
    "posting",
    "settling",
    "audit",
    "month",
)
RESULTS = Path(__file__).parents[2] / "bench-results"


def main(names: list[str]) -> int:
    """Run the named benches, or all; return 1 if a stated limit was missed."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
        return 2
    move_in()  # before the benches are imported: some use models
    RESULTS.mkdir(exist_ok=True)
    missed = 0
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in names or BENCHES:
        begun = time.monotonic()
        tables: list[Table] = importlib.import_module(f"tests.bench.{name}").run()
        text = "\n".join(as_markdown(table) for table in tables)
        print(f"{text}\n({name}: {time.monotonic() - begun:.0f} s)\n", flush=True)
        (RESULTS / f"{name}.md").write_text(text)
        missed += sum(not table.holds for table in tables)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
