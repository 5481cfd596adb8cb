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
OLD = """
SELECT day FROM (
    SELECT to_date(right(part.relname, 8), 'YYYYMMDD') AS day
    FROM pg_inherits AS child JOIN pg_class AS part ON part.oid = child.inhrelid
    WHERE child.inhparent = 'settlement_reading'::regclass) AS parts
WHERE day + 1 <= least(
    (%s AT TIME ZONE 'UTC')::date,
    (SELECT (min(starts_at) AT TIME ZONE 'UTC')::date - 1 FROM settlement_deliveryperiod
     WHERE state <> 'final'))
ORDER BY day
"""
DETACH = "ALTER TABLE settlement_reading DETACH PARTITION {table}"


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


def old_days(now: datetime, *, keep_days: int) -> list[date]:
    """Return the days whose readings may leave the table, the oldest first.

    A day may go when it is ``keep_days`` over and every delivery period that could still be
    reckoned from it is final: all that are not begin a day after it, or later.
    """
    with connection.cursor() as cursor:
        cursor.execute(OLD, [now - timedelta(days=keep_days)])
        return [day for (day,) in cursor.fetchall()]


def detach_days(days: Iterable[date], *, drop: bool) -> None:
    """Take days' readings out of the table, to be kept elsewhere or dropped.

    What was accepted stays known for good: the table of events is not touched.
    """
    for day in days:
        table = sql.Identifier(_table_of(day))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PARTITION_LOCK])
            cursor.execute("SET LOCAL lock_timeout = '5s'")  # Ingest must not queue behind this.
            cursor.execute(sql.SQL(DETACH).format(table=table))
            if drop:
                cursor.execute(sql.SQL("DROP TABLE {table}").format(table=table))


def _table_of(day: date) -> str:
    return f"settlement_reading_{day:%Y%m%d}"


def _missing(days: list[date]) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(EXISTING, [days])
        existing = {day for (day,) in cursor.fetchall()}
    return [day for day in days if day not in existing]


def _create(day: date) -> None:
    statement = sql.SQL(CREATE).format(
        table=sql.Identifier(_table_of(day)),
        start=sql.Literal(f"{day} 00:00:00+00"),
        end=sql.Literal(f"{day + timedelta(days=1)} 00:00:00+00"),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
