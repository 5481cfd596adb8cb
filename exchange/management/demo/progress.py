"""What the demo says on the terminal while it plays."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what begins, and when it has ended how long it took."""
    begun = time.monotonic()
    sys.stdout.write(f"  {name} ... ")
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        sys.stdout.write("failed\n")
        raise
    sys.stdout.write(f"{time.monotonic() - begun:.1f} s\n")
    sys.stdout.flush()


def say(text: str = "") -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """Print a small table, its columns as wide as they need to be."""
    say()
    say(title)
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    for row in [heads, ["-" * width for width in widths], *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  " + "  ".join(cells).rstrip())
