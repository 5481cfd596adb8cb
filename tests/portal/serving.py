"""The web process in a thread of the test's own: what a stream needs and a test client has not."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from exchange.foundation.ports import free_port
from exchange.portal.market.hub import HUB

WAIT_SECONDS = 10


@contextmanager
def web_process() -> Iterator[int]:
    """Serve the whole house over ASGI; give the port. Readers are sent away in the end."""
    from exchange.config.asgi import application  # noqa: PLC0415 - it sets Django up

    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(application, port=port, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join(WAIT_SECONDS)
        until(lambda: HUB.readers == 0)
        until(lambda: not any(each.name == "market" for each in threading.enumerate()))


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, and not for ever."""
    give_up = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)
