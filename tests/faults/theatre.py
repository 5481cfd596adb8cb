"""A play of its own: PostgreSQL, Valkey and the demo's processes that nobody else uses.

The demo plays a small day in a process of its own; a fault test kills or restarts parts of it from
outside, and the play is started again until it comes to its end, as an operator would.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from exchange.config import local_postgres, local_valkey

CHECKOUT = Path(__file__).parents[2]
SMALL = ["--jobs", "24", "--buyers", "6", "--providers", "8"]
DATABASE = "faults"
ATTEMPTS = 4
PLAY_SECONDS = 400
PRICES = """
SELECT site.code, accelerator.code, price.period, price.price_ticks
FROM exchange_cellprice price
JOIN exchange_site site ON site.id = price.site_id
JOIN exchange_accelerator accelerator ON accelerator.id = price.accelerator_id ORDER BY 1, 2, 3
"""
FILLS = """
SELECT bid.label, site.code, accelerator.code, fill.period, fill.quantity_lots
FROM exchange_bidfill fill JOIN exchange_bid bid ON bid.id = fill.bid_id
JOIN exchange_site site ON site.id = fill.site_id
JOIN exchange_accelerator accelerator ON accelerator.id = fill.accelerator_id
ORDER BY 1, 2, 3, 4
"""
BALANCES = """
SELECT coalesce(organization.name, ''), account.kind,
       sum(account.credits_posted - account.debits_posted)::bigint
FROM settlement_ledgeraccount account
LEFT JOIN accounts_organization organization ON organization.id = account.owner_id
WHERE account.kind <> 'clearing' GROUP BY 1, 2
HAVING sum(account.credits_posted - account.debits_posted) <> 0 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a day came to; the same day always comes to the same."""

    prices: list[Any]
    fills: list[Any]
    balances: list[Any]


class Theatre:
    """Servers and processes of one play, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.play: subprocess.Popen[bytes] | None = None
        self.urls: dict[str, str] = {}

    def start_servers(self) -> None:
        """Start both servers, on the ports that they have chosen the first time."""
        self.urls = {
            "DATABASE_URL": local_postgres.start(self.folder, self.folder, database=DATABASE),
            "REDIS_URL": local_valkey.start(self.folder),
        }

    def stop_servers(self) -> None:
        """Stop both servers at once, as a machine that loses its power would find them."""
        local_valkey.stop(self.folder)
        local_postgres.stop(self.folder, self.folder)

    def run(self, fault: "Callable[[Theatre], None] | None" = None) -> Outcome:
        """Play the day to its end, with one fault; start it again if the fault ends it."""
        for attempt in range(ATTEMPTS):
            self.play = self._begin(attempt)
            if fault and attempt == 0:
                fault(self)
            if self.play.wait(timeout=PLAY_SECONDS) == 0:
                return self._outcome()
        raise AssertionError((self.folder / f"play-{ATTEMPTS - 1}.log").read_text()[-4_000:])

    def kill(self, name: str) -> None:
        """kill -9 the worker, beat or web with all that it started, once it is there."""
        file = self.logs / f"{name}.pid"
        give_up = time.monotonic() + PLAY_SECONDS
        while not file.exists():
            assert time.monotonic() < give_up, f"{name} was never started"
            time.sleep(0.05)
        try:
            os.killpg(int(file.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            return  # the play was over before the moment came

    def restart_servers(self) -> None:
        """Stop and start both servers under the running day."""
        self.stop_servers()
        self.start_servers()

    def end(self) -> None:
        """End whatever is left of the play, then the servers."""
        if self.play and self.play.poll() is None:
            self.play.terminate()
            self.play.wait(timeout=60)
        for file in self.logs.glob("*.pid"):
            try:
                os.killpg(int(file.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.stop_servers()

    @property
    def logs(self) -> Path:
        """Where the processes of the play write."""
        return self.folder / "logs"

    def _begin(self, attempt: int) -> subprocess.Popen[bytes]:
        environment = os.environ | self.urls
        environment |= {
            "DEMO_LOGS": str(self.logs),
            "DEMO_THREADS": "1",  # ties go by order id, so the bids must come in one order
            "ARCHIVE_DIR": str(self.folder / "archive"),
            "BEAT_FILE": str(self.folder / "beat"),
            "TICK_SECONDS": "0.3",
            "API_RATE": "100000/minute",
        }
        words = ["manage.py", "demo", "--once", "--port", "0", *SMALL]
        with (self.folder / f"play-{attempt}.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, *words],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _outcome(self) -> Outcome:
        with psycopg.connect(self.urls["DATABASE_URL"]) as database:
            asked = [database.execute(query).fetchall() for query in (PRICES, FILLS, BALANCES)]
        return Outcome(*asked)


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Open a theatre with running servers; close it whatever happened."""
    house = Theatre(folder)
    house.start_servers()
    try:
        yield house
    finally:
        house.end()
