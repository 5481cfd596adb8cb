"""A theatre: PostgreSQL and Valkey that nobody else uses, and days of the demo played on them.

Each day is played in a database of its own, copied from a migrated one, by the demo's own command
and the processes that it starts. A fault kills or restarts parts of it from outside, and the play
is started again until it comes to its end, as an operator would.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from exchange.config import local_postgres, local_valkey
from tests.faults.outcome import Outcome, outcome_of

CHECKOUT = Path(__file__).parents[2]
SMALL = ["--jobs", "24", "--buyers", "6", "--providers", "8", "--history", "0"]
EMPTY = "empty"
# An hour after a gate, so that the next one is a day away: all days are the same day.
CURTAIN = "2026-03-02T05:00:00Z"
ATTEMPTS = 4
PLAY_SECONDS = 400
READY_SECONDS = 60
Fault = Callable[["Day"], None]


class Theatre:
    """Two servers, and an empty market on them to begin each day with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.days = 0

    def open(self) -> None:
        """Start both servers and prepare the empty market."""
        self.start_servers()
        command = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(command, check=True, cwd=CHECKOUT, env=os.environ | self.urls(EMPTY))  # noqa: S603
        with psycopg.connect(self.urls(EMPTY)["DATABASE_URL"]) as desk:
            desk.execute(
                "UPDATE market_clock SET is_play = true, shift = %s - clock_timestamp()", [CURTAIN]
            )

    def close(self) -> None:
        """Stop both servers and remove what they hold."""
        local_valkey.stop(self.folder)
        local_postgres.erase(self.folder, self.folder)

    def start_servers(self) -> None:
        """Start what does not run, where it ran before."""
        self._database = local_postgres.start(self.folder, self.folder, database=EMPTY, fsync=False)
        self._redis = local_valkey.start(self.folder)

    def break_servers(self) -> None:
        """Stop both servers at once, as a machine that loses its power would leave them."""
        local_valkey.stop(self.folder, save=False)
        local_postgres.stop(self.folder, self.folder, mode="immediate")

    def urls(self, database: str) -> dict[str, str]:
        """Return the environment of a process that works in this database."""
        address = urlsplit(self._database)._replace(path=f"/{database}")
        return {"DATABASE_URL": address.geturl(), "REDIS_URL": self._redis}

    def play(self, fault: Fault | None = None) -> Outcome:
        """Play a day to its end, with one fault in it, and return what it came to."""
        self.days += 1
        day = Day(self, f"day{self.days}")
        with psycopg.connect(self.urls("postgres")["DATABASE_URL"], autocommit=True) as desk:
            names = sql.Identifier(day.name), sql.Identifier(EMPTY)
            desk.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self._watched(day, fault)

    def tell_again(self) -> Outcome:
        """Start the last day once more, though it is over, and return what it comes to now."""
        return self._watched(Day(self, f"day{self.days}"), None)

    def _watched(self, day: "Day", fault: Fault | None) -> Outcome:
        try:
            return day.run(fault)
        finally:
            day.end()


class Day:
    """One play: its database, its folder, and the processes of the demo."""

    def __init__(self, house: Theatre, name: str) -> None:
        self.house = house
        self.name = name
        self.folder = house.folder / name
        self.folder.mkdir(exist_ok=True)
        self.command: subprocess.Popen[bytes] | None = None

    def run(self, fault: Fault | None) -> Outcome:
        """Play to the end, with the fault; start again if the play did not get over it."""
        for attempt in range(ATTEMPTS):
            self.command = self._begin(attempt)
            if fault and attempt == 0:
                fault(self)
            if self.command.wait(timeout=PLAY_SECONDS) == 0:
                return outcome_of(self.house.urls(self.name)["DATABASE_URL"], self.archive)
        raise AssertionError((self.folder / f"play-{ATTEMPTS - 1}.log").read_text()[-4_000:])

    def kill(self, name: str) -> None:
        """kill -9 the worker, beat or web with all that it started, once it is there."""
        file = self.logs / f"{name}.pid"
        give_up = time.monotonic() + READY_SECONDS
        while not file.exists():
            assert time.monotonic() < give_up, f"{name} was never started"
            time.sleep(0.05)
        try:
            os.killpg(int(file.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            return  # the play was over before the moment came

    def restart_servers(self) -> None:
        """Take both servers away from the running day, and give them back."""
        self.house.break_servers()
        self.house.start_servers()

    def end(self) -> None:
        """End whatever is left of the play."""
        if self.command and self.command.poll() is None:
            self.command.terminate()
            self.command.wait(timeout=READY_SECONDS)
        for file in self.logs.glob("*.pid"):
            try:
                os.killpg(int(file.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                continue

    @property
    def logs(self) -> Path:
        """Where the processes of the play write."""
        return self.folder / "logs"

    @property
    def archive(self) -> Path:
        """Where the closed book and the published result are kept."""
        return self.folder / "archive"

    def _begin(self, attempt: int) -> subprocess.Popen[bytes]:
        environment = os.environ | self.house.urls(self.name)
        environment |= {
            "DEMO_LOGS": str(self.logs),
            "DEMO_THREADS": "1",  # ties go by order id, so the bids must come in one order
            "ARCHIVE_DIR": str(self.archive),
            "BEAT_FILE": str(self.folder / "beat"),
            "TICK_SECONDS": "0.2",
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


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Open a theatre; close it whatever happened."""
    house = Theatre(folder)
    try:
        house.open()
        yield house
    finally:
        house.close()
