"""A house to measure: its own database on the servers given, and its own web, worker and beat.

The processes are those of ``make run`` with one change: beside the real doors stands the bare one
of this package. All of it listens on loopback and is gone when the bench ends.
"""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import django
import psycopg
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from exchange.config import local
from exchange.config.supervisor import Supervisor
from exchange.foundation.ports import free_port

DATABASE = "exchange_bench"
LOGS = local.STATE / "logs" / DATABASE
START_SECONDS = 60.0
POLL_SECONDS = 0.2
HEALTH_SECONDS = 5.0
_SERVERS_URL = "BENCH_SERVERS_URL"


def move_in() -> None:
    """Set Django up on the bench's database, which need not exist yet, with the bench's doors."""
    given = os.environ["DATABASE_URL"]
    os.environ |= {
        _SERVERS_URL: given,
        "DATABASE_URL": urlsplit(given)._replace(path=f"/{DATABASE}").geturl(),
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
    }
    django.setup()


@contextmanager
def fresh_database() -> Iterator[None]:
    """Create and migrate the database; drop it in the end, and first if a killed bench left it."""
    name = sql.Identifier(DATABASE)
    with psycopg.connect(os.environ[_SERVERS_URL], autocommit=True) as desk:
        desk.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        desk.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            call_command("migrate", interactive=False, verbosity=0)
            yield
        finally:
            connection.close()
            desk.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@contextmanager
def processes() -> Iterator[int]:
    """Run web, worker and beat; give the port of the web process, once it is ready."""
    port = free_port()
    connection.close()
    with Supervisor(port=port, logs=LOGS):
        give_up = time.monotonic() + START_SECONDS
        while not _is_ready(port):
            assert time.monotonic() < give_up, f"the web process did not start; see {LOGS}"
            time.sleep(POLL_SECONDS)
        yield port


def _is_ready(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/health/ready"
    try:
        with urllib.request.urlopen(address, timeout=HEALTH_SECONDS):
            return True
    except (urllib.error.URLError, OSError):
        return False
