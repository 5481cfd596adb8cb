"""Real servers for a machine that has none: PostgreSQL and Valkey out of wheels.

``python -m exchange.config.local up`` starts both and remembers their addresses in
``.local/servers.json``; ``down`` stops them; ``erase`` removes what they hold, too; ``status``
says what runs; ``exec CMD ...`` starts what is missing and becomes CMD with ``DATABASE_URL`` and
``REDIS_URL`` set; ``exec --play CMD`` gives it the database of the demo. Where both variables are
set already, nothing is started and ``exec`` only becomes CMD. Both listen on loopback only, behind
generated passwords, and keep their ports and data between runs.
"""

import fcntl
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange.config import local_postgres, local_valkey

CHECKOUT = Path(__file__).resolve().parents[2]
STATE = CHECKOUT / ".local"
PLAY_DATABASE = "exchange_demo"
SERVERS_FILE = STATE / "servers.json"


def urls_from_file() -> dict[str, str]:
    """Return the addresses of the servers last started here, or nothing."""
    try:
        found = json.loads(SERVERS_FILE.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return {name: str(url) for name, url in found.items()}


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time start or stop servers of this checkout."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def up(*, play: bool = False) -> dict[str, str]:
    """Start what is not running; return ``DATABASE_URL`` and ``REDIS_URL``.

    With ``play`` the database is the demo's; otherwise the addresses are remembered.
    """
    database = PLAY_DATABASE if play else local_postgres.DATABASE
    with _alone():
        urls = {
            "DATABASE_URL": local_postgres.start(CHECKOUT, STATE, database=database),
            "REDIS_URL": local_valkey.start(STATE),
        }
        if play:
            return urls
        waiting = SERVERS_FILE.with_suffix(".new")
        waiting.touch(mode=0o600)
        waiting.write_text(json.dumps(urls, indent=1))
        waiting.replace(SERVERS_FILE)
        return urls


def down() -> None:
    """Stop both servers; their data stays."""
    with _alone():
        local_valkey.stop(STATE)
        local_postgres.stop(CHECKOUT, STATE)
        SERVERS_FILE.unlink(missing_ok=True)


def erase() -> None:
    """Stop both servers and remove their data, wherever it lies."""
    down()
    with _alone():
        local_postgres.erase(CHECKOUT, STATE)
        shutil.rmtree(STATE / "valkey", ignore_errors=True)


def status() -> str:
    """Return one line a server."""
    postgres = "runs" if local_postgres.is_running(CHECKOUT, STATE) else "is stopped"
    valkey = "runs" if local_valkey.is_running(STATE) else "is stopped"
    return f"PostgreSQL {postgres}\nValkey {valkey}"


def become(command: list[str], *, play: bool = False) -> None:
    """Replace this process by ``command``, with servers it can reach."""
    environment = dict(os.environ)
    if not ("DATABASE_URL" in environment and "REDIS_URL" in environment):
        environment = up(play=play) | environment
    os.execvpe(command[0], command, environment)  # noqa: S606


def main(words: list[str]) -> int:
    """Carry out one of the words; return the exit status."""
    verb, rest = (words[0], words[1:]) if words else ("", [])
    if verb == "up":
        up()
        print(status())  # noqa: T201
    elif verb == "down":
        down()
    elif verb == "erase":
        erase()
    elif verb == "status":
        print(status())  # noqa: T201
    elif verb == "exec" and rest[:1] == ["--play"]:
        become(rest[1:], play=True)
    elif verb == "exec" and rest:
        become(rest)
    else:
        print(__doc__, file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
