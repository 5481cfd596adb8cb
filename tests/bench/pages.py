"""How long the open market's pages take when they are warm: each a hundred times, one by one.

``make bench ARGS=pages`` measures a small market of its own; ``python -m tests.bench.pages URL``
measures a running demo, ``make demo`` for one.
"""

import http.client
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from tests.bench.tables import Table, as_markdown

REQUESTS: Final = 100
P95_MS_MAX: Final = 100.0
PAGES: Final = (
    *("/", "/market/", "/market/curves/", "/market/map/", "/market/index/", "/market/models/"),
    *("/market/auctions/", "/market/index/classes.csv", "/market/index/accelerators.json"),
    *("/apply", "/time-zone", "/accounts/login/", "/api/v1/auctions", "/api/v1/prices"),
    "/api/v1/fills",
)
# The first link of this form on this page is measured too, and the files of an auction.
LINKED: Final = (
    ("/market/auctions/", r'href="(/market/auctions/auc_\w+/)"'),
    ("/market/models/", r'href="(/market/models/[^/"]+/)"'),
)
FILES: Final = ("prices.csv", "prices.json", "fills.csv", "links.csv", "flows.csv")


def run() -> list[Table]:
    """Measure a market of one small day, on processes of its own."""
    from tests.bench import house, readers  # noqa: PLC0415 - a running demo needs no Django here

    with house.fresh_database():
        readers.stall_of_a_day()
        with house.processes() as port:
            return [measure(f"http://127.0.0.1:{port}")]


def measure(address: str) -> Table:
    """Return median, 95th percentile and longest of every page's answers, in milliseconds."""
    table = Table(
        f"Pages of the open market, warm, {REQUESTS} requests each, one by one: p95 below "
        f"{P95_MS_MAX:.0f} ms",
        ["page", "kB", "median ms", "p95 ms", "longest ms"],
    )
    with _wire(address) as wire:
        for path in [*PAGES, *_linked(wire)]:
            size, spent = _ask_often(wire, path)
            p95 = spent[int(0.95 * len(spent))]
            middle, longest = spent[len(spent) // 2], spent[-1]
            figures = (f"{value:.1f}" for value in (middle, p95, longest))
            table.add(path, f"{size / 1_000:.0f}", *figures, holds=p95 < P95_MS_MAX)
    return table


def _ask_often(wire: http.client.HTTPConnection, path: str) -> tuple[int, list[float]]:
    """Ask once to warm up, then ``REQUESTS`` times; return the size and the sorted times."""
    _ask(wire, path)
    spent, body = [], b""
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        body = _ask(wire, path)
        spent.append((time.perf_counter() - begun) * 1_000)
    return len(body), sorted(spent)


def _linked(wire: http.client.HTTPConnection) -> Iterator[str]:
    for path, form in LINKED:
        found = re.search(form, _ask(wire, path).decode())
        assert found, f"{path} links nothing of the form {form}"
        yield found[1]
        if "auc_" in found[1]:
            yield from (f"{found[1]}{file}" for file in FILES)


def _ask(wire: http.client.HTTPConnection, path: str) -> bytes:
    wire.request("GET", path)
    answer = wire.getresponse()
    body = answer.read()
    assert answer.status == http.HTTPStatus.OK, f"{path}: {answer.status}"
    return body


@contextmanager
def _wire(address: str) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(address)
    assert parts.hostname, address
    wire = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=60)
    try:
        yield wire
    finally:
        wire.close()


if __name__ == "__main__":
    measured = measure(sys.argv[1])
    print(as_markdown(measured))
    sys.exit(not measured.holds)
