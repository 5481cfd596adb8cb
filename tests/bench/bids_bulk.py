"""Bids a thousand at a time through the whole door, against COPY of the rows that came of them.

The door: one POST of 1,000 bids with an Idempotency-Key, from the first byte sent to the last byte
of the answer, which repeats every bid. The key is checked and counted, the body parsed, each bid
checked against the book, the money of each held; rows, holds and answer are one transaction.

COPY: the rows of that very bulk into a table of their own, in a transaction of its own, by psycopg
from this process. What is judged is what a program pays that has the rows and does nothing else
with them: they are Python values, and the table has the same columns, defaults, indexes, CHECKs and
foreign keys. Two harder comparisons stand beside it: the rows as one text that is ready, which no
program has, and then without foreign keys too.
"""

import statistics
import time
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.db import connection
from psycopg import sql

from tests.bench import house
from tests.bench.stall import Stall, as_json, open_stall
from tests.bench.tables import Table
from tests.bench.wire import Wire, post

RATIO_MIN = 0.3
ROUNDS = 21
SIZE = 1_000
WARM_UP = 4
OK = 200
LAST = "SELECT * FROM exchange_bid ORDER BY id DESC LIMIT 1000"
FOREIGN_KEYS = """
SELECT pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'exchange_bid'::regclass AND contype = 'f'
"""

_serial = count()


@dataclass(frozen=True, slots=True)
class Copied:
    """A table to copy into, and what is sent to it."""

    table: str
    title: str
    linked: bool
    ready: bool
    judged: bool = False


COPIES = (
    Copied("copied_rows", "rows as Python values", linked=True, ready=False, judged=True),
    Copied("copied_text", "one text that is ready", linked=True, ready=True),
    Copied("copied_bare", "one text, no foreign keys", linked=False, ready=True),
)


def run() -> list[Table]:
    """Post and copy the same thousand bids in turn."""
    table = Table(
        f"Bulks of {SIZE:,} bids: at least {RATIO_MIN} of the rate of COPY of the same rows, as "
        "Python values, into a table of the same shape with its indexes and constraints",
        ["COPY of", "judged", "bulks", "bids/s, whole door", "bids/s, COPY", "ratio", "from", "to"],
    )
    with house.fresh_database():
        stall = open_stall(1)
        for copied in COPIES:
            _make(copied)
        with house.processes() as port, Wire(port) as wire:
            seconds = [_round(wire, stall) for _ in range(WARM_UP + ROUNDS)][WARM_UP:]
    for copied in COPIES:
        _add(table, copied, seconds)
    return [table]


def _make(copied: Copied) -> None:
    name = sql.Identifier(copied.table)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("CREATE TABLE {} (LIKE exchange_bid INCLUDING ALL)").format(name))
        cursor.execute(FOREIGN_KEYS)
        for (clause,) in cursor.fetchall() if copied.linked else ():
            cursor.execute(sql.SQL("ALTER TABLE {} ADD {}").format(name, sql.SQL(clause)))


def _round(wire: Wire, stall: Stall) -> dict[str, float]:
    """Return the seconds of one bulk through the door, and of each COPY of its rows."""
    request = _request(stall)
    begun = time.perf_counter()
    answer = wire.send(request, OK)
    taken = {"door": time.perf_counter() - begun}
    assert answer.startswith(b'{"placed":%d,' % SIZE), answer[:500]
    with connection.cursor() as cursor:
        cursor.execute(LAST)
        rows = cursor.fetchall()
        with cursor.copy(f"COPY ({LAST}) TO STDOUT") as copy:
            text = b"".join(copy)
    return taken | {copied.table: _copy(copied, rows, text) for copied in COPIES}


def _copy(copied: Copied, rows: list[tuple[Any, ...]], text: bytes) -> float:
    with connection.cursor() as cursor:
        begun = time.perf_counter()
        with cursor.copy(f"COPY {copied.table} FROM STDIN") as copy:
            if copied.ready:
                copy.write(text)
            else:
                for row in rows:
                    copy.write_row(row)
        return time.perf_counter() - begun


def _request(stall: Stall) -> bytes:
    bodies = [stall.body(next(_serial)) for _ in range(SIZE)]
    headers = {"Authorization": f"Bearer {stall.tokens[0]}"}
    headers["Idempotency-Key"] = f"bench-bulk-{next(_serial)}"
    return post("/api/v1/bids/bulk", as_json({"bids": bodies}), headers)


def _add(table: Table, copied: Copied, seconds: list[dict[str, float]]) -> None:
    ratios = [taken[copied.table] / taken["door"] for taken in seconds]
    ratio = statistics.median(ratios)
    rates = [
        SIZE / statistics.median(taken[name] for taken in seconds)
        for name in ("door", copied.table)
    ]
    table.add(
        copied.title,
        "yes" if copied.judged else "",
        len(seconds),
        *(f"{rate:,.0f}" for rate in rates),
        *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
        holds=ratio >= RATIO_MIN or not copied.judged,
    )
