"""Bids a thousand at a time through the whole door, against COPY of the rows that came of them.

The door: one POST of 1,000 bids with an Idempotency-Key, from the first byte sent to the last byte
of the answer, which repeats every bid: the key is checked and counted, the body parsed, each bid
checked against the book, the money of each held, rows and answer written in one transaction.

COPY: the rows of that very bulk, as text that is ready, into a table of the same shape with all
its indexes, defaults and CHECKs (LIKE ... INCLUDING ALL), in a transaction of its own; and, for
comparison, the same with the foreign keys of the table too.
"""

import statistics
import time
from itertools import count, islice

import psycopg
from django.db import connection

from tests.bench import house
from tests.bench.stall import Stall, as_json, open_stall
from tests.bench.tables import Table
from tests.bench.wire import Wire, post

RATIO_MIN = 0.3
ROUNDS = 15
SIZE = 1_000
WARM_UP = 3
OK = 200
PLAIN, LINKED = "copied_bid", "copied_linked_bid"

_serial = count()


def run() -> list[Table]:
    """Post and COPY the same thousand bids in turn."""
    table = Table(
        f"Bulks of {SIZE:,} bids: at least {RATIO_MIN} of the rate of COPY of the same rows into a "
        "table of the same shape with its indexes",
        ["COPY into", "rounds", "bids/s, whole door", "bids/s, COPY", "ratio", "from", "to"],
    )
    with house.fresh_database():
        stall = open_stall(1)
        _make_tables()
        with house.processes() as port, Wire(port) as wire:
            seconds = [_round(wire, stall) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    for name, title in ((PLAIN, "the same columns, indexes, CHECKs"), (LINKED, "and foreign keys")):
        _add(table, title, seconds, name, judged=name == PLAIN)
    return [table]


def _make_tables() -> None:
    with connection.cursor() as cursor:
        for name in (PLAIN, LINKED):
            cursor.execute(f"CREATE TABLE {name} (LIKE exchange_bid INCLUDING ALL)")
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = 'exchange_bid'::regclass AND contype = 'f'"
        )
        for (clause,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {LINKED} ADD {clause}")


def _round(wire: Wire, stall: Stall) -> dict[str, float]:
    """Return the seconds of one bulk through the door, and of the COPY of its rows."""
    request = _request(stall)
    begun = time.perf_counter()
    answer = wire.send(request, OK)
    taken = {"door": time.perf_counter() - begun}
    assert answer.startswith(b'{"placed":%d,' % SIZE), answer[:500]
    with connection.cursor() as cursor:
        assert isinstance(cursor.connection, psycopg.Connection)
        last = f"SELECT * FROM exchange_bid ORDER BY id DESC LIMIT {SIZE}"
        with cursor.copy(f"COPY ({last}) TO STDOUT") as copy:
            rows = b"".join(copy)
    for name in (PLAIN, LINKED):
        taken[name] = _copy(name, rows)
    return taken


def _copy(name: str, rows: bytes) -> float:
    with connection.cursor() as cursor:
        begun = time.perf_counter()
        with cursor.copy(f"COPY {name} FROM STDIN") as copy:
            copy.write(rows)
        return time.perf_counter() - begun


def _request(stall: Stall) -> bytes:
    numbers = islice(_serial, SIZE)
    bodies = [stall.body(number) for number in numbers]
    headers = {"Authorization": f"Bearer {stall.tokens[0]}"}
    headers["Idempotency-Key"] = f"bench-bulk-{next(_serial)}"
    return post("/api/v1/bids/bulk", as_json({"bids": bodies}), headers)


def _add(
    table: Table, title: str, seconds: list[dict[str, float]], name: str, *, judged: bool
) -> None:
    ratios = [taken[name] / taken["door"] for taken in seconds]
    ratio = statistics.median(ratios)
    table.add(
        title,
        len(seconds),
        *(
            f"{SIZE / statistics.median(t[which] for t in seconds):,.0f}"
            for which in ("door", name)
        ),
        *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
        holds=ratio >= RATIO_MIN or not judged,
    )
