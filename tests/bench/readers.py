"""Bids while two hundred people read the live market, against bids while nobody does."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from exchange.foundation.market_time import mark_as_play
from exchange.management.demo.cast import gather_cast, load_tables
from exchange.management.demo.market_setup import midnight
from exchange.management.demo.month import Month, begin_month
from exchange.management.demo.platform import Size
from exchange.models import Auction
from tests.bench import bids_door, house
from tests.bench.stall import Stall, bodies_for, tokens_of
from tests.bench.tables import Table
from tests.exchange.in_process import InProcess, tick

READERS = 200
SLOWER_MAX = 0.10
ROUNDS = 7
BIDS = 400  # in each half of a round, over all connections
WIRES = 4
END_SECONDS = 10
SIZE = Size(providers=40, buyers=20, jobs=10)


def run() -> list[Table]:
    """Send the same kind of bids with and without a crowd of readers, in turn."""
    table = Table(
        f"Bids by {WIRES} buyers while {READERS} read the live market: at most "
        f"{SLOWER_MAX:.0%} slower than while nobody reads",
        ["readers", "rounds", "bids/s, nobody reads", "bids/s, all read", "ratio", "from", "to"],
    )
    with house.fresh_database():
        stall = stall_of_a_day()
        with house.processes() as port:
            _measure(table, stall, port)
    return [table]


def stall_of_a_day() -> Stall:
    """Play one small day, so that there is a market to read, and bid for the next."""
    mark_as_play()
    load_tables()
    dates = begin_month(2)
    assert dates is not None
    month = Month(cast=gather_cast(SIZE), stage=InProcess(), dates=dates)  # type: ignore[arg-type]
    tick()
    month.pass_until(midnight(dates.first))
    stall = Stall(tokens_of(WIRES), bodies_for(Auction.objects.taking_bids().get()))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return stall


def _measure(table: Table, stall: Stall, port: int) -> None:
    rates: dict[bool, list[float]] = {False: [], True: []}
    bids_door.rate(stall, "whole", port=port, wires=WIRES, size=BIDS)
    for number in range(ROUNDS):
        for read in (bool(number % 2), not number % 2):  # they take turns at being first
            with _crowd(port) if read else _nobody():
                rate = bids_door.rate(stall, "whole", port=port, wires=WIRES, size=BIDS)
            rates[read].append(rate)
    ratios = [all_read / none for none, all_read in zip(rates[False], rates[True], strict=True)]
    ratio = statistics.median(ratios)
    table.add(
        READERS,
        f"{ROUNDS} x {BIDS}",
        *(f"{statistics.median(rates[read]):.0f}" for read in (False, True)),
        *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
        holds=ratio >= 1 - SLOWER_MAX,
    )


@contextmanager
def _crowd(port: int) -> Iterator[None]:
    """Let a crowd read meanwhile; it ends with the block, and by itself if we are killed."""
    words = [sys.executable, "-m", "tests.bench.crowd", str(port), str(READERS)]
    crowd = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    assert crowd.stdin is not None
    assert crowd.stdout is not None
    try:
        assert crowd.stdout.readline() == b"ready\n", "the crowd did not get in"
        yield
        assert crowd.poll() is None, "the crowd left early"
    finally:
        crowd.stdin.close()
        crowd.wait(END_SECONDS)


@contextmanager
def _nobody() -> Iterator[None]:
    yield
