"""A theatre: PostgreSQL and Valkey that nobody else uses, and days of the demo played on them.

Each play has a database of its own, copied from a migrated one, and processes that its command
starts: the demo's own for a day of the market. A fault kills or restarts parts of it from outside,
and the play is started again until it comes to its end, as an operator would.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
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
PLAY_SECONDS = 1_200
READY_SECONDS = 60
Fault = Callable[["Day"], None]


class Play(NamedTuple):
    """What is played: the words that start it, the market in which it begins, how often at most."""

    words: Sequence[str]
    scene: str = EMPTY
    attempts: int = ATTEMPTS


THE_DAY = Play(["manage.py", "demo", "--once", "--port", "0", *SMALL])


class Theatre:
    """Two servers, and an empty market on them to begin each day with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.days = 0

    def open(self) -> None:
        """Start both servers and prepare the empty market."""
        self.start_servers()
        self._run(["manage.py", "migrate", "--no-input", "--verbosity", "0"], EMPTY)
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

    def set_the_scene(self, name: str, words: Sequence[str]) -> None:
        """Prepare another market to begin plays with, by a command of Python's."""
        self._copy(EMPTY, name)
        self._run(words, name)

    def kill_database(self) -> None:
        """kill -9 PostgreSQL with all its processes."""
        with psycopg.connect(self.urls("postgres")["DATABASE_URL"]) as desk:
            pids = [pid for (pid,) in desk.execute("SELECT pid FROM pg_stat_activity").fetchall()]
            ((data,),) = desk.execute("SHOW data_directory").fetchall()
        postmaster = int((Path(data) / "postmaster.pid").read_text().splitlines()[0])
        for pid in (postmaster, *pids):
            _kill(pid)
        _wait_until_gone(postmaster)  # until it is reaped, it passes for a server that runs

    def break_servers(self) -> None:
        """Stop both servers at once, as a machine that loses its power would leave them."""
        local_valkey.stop(self.folder, save=False)
        local_postgres.stop(self.folder, self.folder, mode="immediate")

    def urls(self, database: str) -> dict[str, str]:
        """Return the environment of a process that works in this database."""
        address = urlsplit(self._database)._replace(path=f"/{database}")
        return {"DATABASE_URL": address.geturl(), "REDIS_URL": self._redis}

    def play(self, fault: Fault | None = None) -> Outcome:
        """Play a day of the market to its end, with a fault in it, and return what it came to."""
        day = self.perform(THE_DAY, fault)
        return outcome_of(self.urls(day.name)["DATABASE_URL"], day.archive)

    def tell_again(self) -> Outcome:
        """Start the last day once more, though it is over, and return what it comes to now."""
        day = self._watched(Day(self, f"day{self.days}", THE_DAY), None)
        return outcome_of(self.urls(day.name)["DATABASE_URL"], day.archive)

    def perform(self, play: Play, fault: Fault | None = None) -> "Day":
        """Play anything to its end, with a fault in it; it ends well, sooner or later."""
        self.days += 1
        day = Day(self, f"day{self.days}", play)
        self._copy(play.scene, day.name)
        return self._watched(day, fault)

    def _watched(self, day: "Day", fault: Fault | None) -> "Day":
        try:
            day.run(fault)
        finally:
            day.end()
        return day

    def _copy(self, scene: str, name: str) -> None:
        with psycopg.connect(self.urls("postgres")["DATABASE_URL"], autocommit=True) as desk:
            names = sql.Identifier(name), sql.Identifier(scene)
            desk.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))

    def _run(self, words: Sequence[str], database: str) -> None:
        command = [sys.executable, *words]
        subprocess.run(command, check=True, cwd=CHECKOUT, env=os.environ | self.urls(database))  # noqa: S603


class Day:
    """One play: its database, its folder, and the processes that its command starts."""

    def __init__(self, house: Theatre, name: str, play: Play) -> None:
        self.house = house
        self.name = name
        self.play = play
        self.folder = house.folder / name
        self.folder.mkdir(exist_ok=True)
        self.command: subprocess.Popen[bytes] | None = None
        self._killed: dict[str, int] = {}

    def run(self, fault: Fault | None) -> None:
        """Play to the end, with the fault; start again if the play did not get over it."""
        for attempt in range(self.play.attempts):
            self.command = self._begin(attempt)
            if fault and attempt == 0:
                fault(self)
            if self.command.wait(timeout=PLAY_SECONDS) == 0:
                return
        raise AssertionError(
            (self.folder / f"play-{self.play.attempts - 1}.log").read_text()[-4_000:]
        )

    def goes_on(self) -> bool:
        """Return whether the play's command still runs."""
        return self.command is not None and self.command.poll() is None

    def kill(self, name: str) -> None:
        """kill -9 the worker, beat or web with all that it started, once it is there (again).

        Waits as long as the play may last: how late a part comes says how busy the machine is.
        """
        give_up = time.monotonic() + PLAY_SECONDS
        while (pid := self._pid_of(name)) in (None, self._killed.get(name)):
            if not self.goes_on():
                return
            assert time.monotonic() < give_up, f"{name} was never started"
            time.sleep(0.05)
        assert pid is not None
        self._killed[name] = pid
        try:
            os.killpg(pid, signal.SIGKILL)
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

    def _pid_of(self, name: str) -> int | None:
        try:
            return int((self.logs / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):  # not there, or just being written
            return None

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
        with (self.folder / f"play-{attempt}.log").open("wb") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, *self.play.words],
                cwd=CHECKOUT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it went with the first


def _wait_until_gone(pid: int) -> None:
    give_up = time.monotonic() + READY_SECONDS
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < give_up, f"nobody reaps process {pid}"
        time.sleep(0.02)


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """Open a theatre; close it whatever happened."""
    house = Theatre(folder)
    try:
        house.open()
        yield house
    finally:
        house.close()
