"""The market's time: the database's clock, and in a play database a shifted one."""

from datetime import datetime

from django.db import connection
from django.db.models import DateTimeField, Func


class NotAPlay(Exception):
    """The clock of a real market cannot be set."""


class MarketNow(Func):
    """``market_now()`` inside a query, for guards that only the database's clock may decide."""

    function = "market_now"
    arity = 0
    output_field = DateTimeField()


def market_now() -> datetime:
    """Return the market's time: the start of the database transaction, in UTC."""
    return _ask("SELECT market_now()")


def mark_as_play() -> None:
    """Mark this database as a demo's or a test's, so that its clock may be set."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_clock SET is_play = true")


def is_play() -> bool:
    """Return whether this database is a demo's or a test's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_play FROM market_clock")
        return bool(cursor.fetchone()[0])


def set_market_time(at: datetime) -> None:
    """Let the market's clock go on from ``at``. Raises NotAPlay in a real market."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_clock SET shift = %s - clock_timestamp() WHERE is_play", [at])
        if cursor.rowcount != 1:
            raise NotAPlay("only a database marked as a play has a clock that can be set")


def _ask(query: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: datetime = cursor.fetchone()[0]
        return found
