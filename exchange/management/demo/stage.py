"""The running system that the play uses: real processes, and a clock that is set in between."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings

from exchange.foundation.market_time import market_now, set_market_time

WAIT_SECONDS = 900.0  # a machine may be slow, or busy with other things
POLL_SECONDS = 0.1
TICK_SECONDS = "0.3"  # in a play the next hour comes in seconds


class TooSlow(Exception):
    """What the play waited for did not happen; the logs of the processes say more."""


class Stage:
    """Web, worker and beat, kept alive by the same supervisor that ``make run`` starts.

    Use as a context: they end with it, and also if this process is killed.
    """

    def __init__(self, *, port: int, logs: Path) -> None:
        self.port = port
        self.logs = logs

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / "supervisor.log").open("ab") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "exchange.config.supervisor"],
                cwd=settings.BASE_DIR,
                env=os.environ
                | {
                    "PORT": str(self.port),
                    "LOGS": str(self.logs),
                    "STOP_WITH_PARENT": "1",
                    "MIGRATE": "false",  # the play has
                    "TICK_SECONDS": os.environ.get("TICK_SECONDS", TICK_SECONDS),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._supervisor.terminate()
        self._supervisor.wait()

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Wait until ``done``. Raises TooSlow."""
        give_up = time.monotonic() + WAIT_SECONDS
        while not done():
            if time.monotonic() > give_up or self._supervisor.poll() is not None:
                raise TooSlow(f"{what}: not within {WAIT_SECONDS:.0f} s; see {self.logs}")
            time.sleep(POLL_SECONDS)

    def wait_for_the_web(self) -> None:
        """Wait until the web process takes connections."""
        self.wait_for(self._listens, "the web server")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def forward_to(moment: datetime) -> None:
    """Set the market's clock to ``moment`` unless it is later already."""
    if market_now() < moment:
        set_market_time(moment)


def log_folder() -> Path:
    """Return where the processes of the play write their logs."""
    usual = Path(settings.BASE_DIR) / ".local" / "logs" / settings.DATABASES["default"]["NAME"]
    return Path(os.environ.get("DEMO_LOGS", usual))
