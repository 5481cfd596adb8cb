"""One partition of the readings for each day (UTC), made before its first reading arrives."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from psycopg import sql

DAYS_AHEAD = 3
DAYS_BACK = 2
PARTITION_LOCK = 0x72656164696E67  # "reading"; advisory, so that two do not make the same day
# Asks the catalogue's table: to_regclass() may answer from a cache that is older than the lock.
EXISTING = """
SELECT day FROM unnest(%s::date[]) AS day
JOIN pg_class AS part ON part.relname = 'settlement_reading_' || to_char(day, 'YYYYMMDD')
JOIN pg_inherits AS child ON child.inhrelid = part.oid
WHERE child.inhparent = 'settlement_reading'::regclass
"""
# Attaching a finished table locks the readings less than CREATE ... PARTITION OF would.
CREATE = """
CREATE TABLE {table} (LIKE settlement_reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
ALTER TABLE settlement_reading ATTACH PARTITION {table} FOR VALUES FROM ({start}) TO ({end});
"""


def open_days_ahead(now: datetime) -> int:
    """Make the partitions of the days around ``now``; return how many are new."""
    today = now.astimezone(UTC).date()
    return open_days(today + timedelta(days=offset) for offset in range(-DAYS_BACK, DAYS_AHEAD + 1))


def open_days(days: Iterable[date]) -> int:
    """Make the partitions of these days that do not exist; return how many are new."""
    wanted = sorted(set(days))
    if not (missing := _missing(wanted)):
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
        missing = _missing(missing)  # somebody may have made them while we waited
        for day in missing:
            _create(day)
    return len(missing)


def _missing(days: list[date]) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(EXISTING, [days])
        existing = {day for (day,) in cursor.fetchall()}
    return [day for day in days if day not in existing]


def _create(day: date) -> None:
    statement = sql.SQL(CREATE).format(
        table=sql.Identifier(f"settlement_reading_{day:%Y%m%d}"),
        start=sql.Literal(f"{day} 00:00:00+00"),
        end=sql.Literal(f"{day + timedelta(days=1)} 00:00:00+00"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
