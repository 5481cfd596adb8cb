"""Bids one by one through the whole door, against the least that a door could do with them."""

import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from django.db import connection

from tests.bench import bare_doors, house
from tests.bench.stall import Stall, as_json, open_stall
from tests.bench.tables import Table
from tests.bench.wire import Wire, post

RATIO_MIN = 0.4
ROUNDS = 7
REQUESTS = 200  # in each half of a round, over all connections
WARM_UP = 100
WIRES = (1, 4)
DOORS = {"whole": "/api/v1/bids", "bare": "/bare/bids"}
CREATED = 201

_serial = count()


def run() -> list[Table]:
    """Send the same bids to both doors in turn, over one connection and over several."""
    table = Table(
        f"Bids one by one: at least {RATIO_MIN} of the rate of a bare view with the same "
        "authentication and one INSERT in a database transaction",
        ["buyers", "rounds", "bids/s, whole door", "bids/s, bare view", "ratio", "from", "to"],
    )
    with house.fresh_database():
        stall = open_stall(max(WIRES))
        with connection.cursor() as cursor:
            cursor.execute(bare_doors.TABLE)
        with house.processes() as port:
            for wires in WIRES:
                _measure(table, stall, port=port, wires=wires)
    return [table]


def _measure(table: Table, stall: Stall, *, port: int, wires: int) -> None:
    rates: dict[str, list[float]] = {name: [] for name in DOORS}
    for name in DOORS:
        rate(stall, name, port=port, wires=wires, size=WARM_UP)
    for number in range(ROUNDS):
        # The second of a pair finds warmer caches: they take turns.
        for name in sorted(DOORS, reverse=bool(number % 2)):
            rates[name].append(rate(stall, name, port=port, wires=wires, size=REQUESTS))
    ratios = [whole / bare for whole, bare in zip(rates["whole"], rates["bare"], strict=True)]
    ratio = statistics.median(ratios)
    table.add(
        wires,
        ROUNDS,
        *(f"{statistics.median(rates[name]):.0f}" for name in DOORS),
        *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
        holds=ratio >= RATIO_MIN,
    )


def rate(stall: Stall, door: str, *, port: int, wires: int, size: int) -> float:
    """Send ``size`` bids, each buyer on a connection of its own; return bids per second."""
    requests = [_requests(stall, door, buyer, size // wires) for buyer in range(wires)]
    with ThreadPoolExecutor(wires) as pool:
        begun = time.perf_counter()
        sent = sum(pool.map(lambda each: _send(port, each), requests))
        return sent / (time.perf_counter() - begun)


def _requests(stall: Stall, door: str, buyer: int, size: int) -> list[bytes]:
    made = []
    for _ in range(size):
        number = next(_serial)
        body = stall.body(number)
        headers = {"Authorization": f"Bearer {stall.tokens[buyer]}"}
        headers["Idempotency-Key"] = f"bench-{number}"
        made.append(post(DOORS[door], as_json(body), headers))
    return made


def _send(port: int, requests: Sequence[bytes]) -> int:
    with Wire(port) as wire:
        for request in requests:
            wire.send(request, CREATED)
    return len(requests)
