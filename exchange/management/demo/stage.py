"""The running system that the play uses: real processes, and a clock that is set in between."""

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings

from exchange.config.supervisor import Supervisor
from exchange.foundation.market_time import market_now, set_market_time

WAIT_SECONDS = 300.0
POLL_SECONDS = 0.2


class TooSlow(Exception):
    """What the play waited for did not happen; the logs of the processes say more."""


class Stage:
    """Processes that are kept alive while the play waits for what they do."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.between: Callable[[], None] = lambda: None  # what a fault test does meanwhile

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Wait until ``done``; restart what dies meanwhile. Raises TooSlow."""
        give_up = time.monotonic() + WAIT_SECONDS
        while not done():
            if time.monotonic() > give_up:
                raise TooSlow(
                    f"{what}: not within {WAIT_SECONDS:.0f} s; see {self.supervisor.logs}"
                )
            self.supervisor.restart_the_dead()
            self.between()
            time.sleep(POLL_SECONDS)

    def wait_for_the_web(self) -> None:
        """Wait until the web process takes connections."""
        self.wait_for(self._listens, "the web server")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.supervisor.port)) == 0


def forward_to(moment: datetime) -> None:
    """Set the market's clock to ``moment`` unless it is later already."""
    if market_now() < moment:
        set_market_time(moment)


def free_port(wanted: int) -> int:
    """Return ``wanted`` if nobody listens there, else a free port."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise TooSlow("no port is free on this machine")


def log_folder() -> Path:
    """Return where the processes of the play write their logs."""
    usual = Path(settings.BASE_DIR) / ".local" / "logs" / settings.DATABASES["default"]["NAME"]
    return Path(os.environ.get("DEMO_LOGS", usual))
