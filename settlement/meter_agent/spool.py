"""What must outlive the agent, in one SQLite file: counters, readings not yet taken in, refusals.

Counters and the readings cut from them are written in one database transaction that is on the disk
before it counts: after a kill or a power cut no number was given twice to different readings.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from settlement.meter_agent.counting import Count
from settlement.meter_agent.exporters import Chip

SCHEMA = """
CREATE TABLE IF NOT EXISTS count (device TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, answer TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
"""
# Counters are cumulative: of too many readings every second one of a device can go, but for those
# that say where the counters stood at a full hour.
THIN_OUT = """
DELETE FROM outbox WHERE id IN (
    SELECT id FROM (
        SELECT id, row_number() OVER (
            PARTITION BY json_extract(event, '$.subject') ORDER BY id) AS place
        FROM outbox WHERE json_extract(event, '$.data.period_end') NOT LIKE '%:00:00.000+00:00')
    WHERE place % 2 = 0)
"""
WAIT_SECONDS = 30.0


class Spooled(NamedTuple):
    """A reading that waits to be taken in."""

    id: int
    event: str


class Spool:
    """One connection to the file; threads have one each."""

    def __init__(self, path: Path) -> None:
        self.database = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def counts(self) -> dict[str, Count]:
        """Return where each device's counters stood last."""
        rows = self.database.execute("SELECT device, body FROM count")
        return {device: _count(json.loads(body)) for device, body in rows}

    def write(self, counts: Mapping[str, Count], events: Iterable[str], *, most: int) -> None:
        """Write counters and new readings, all or nothing; thin out what waits beyond ``most``."""
        bodies = [(device, json.dumps(asdict(count))) for device, count in counts.items()]
        with self._transaction():
            self.database.executemany("INSERT OR REPLACE INTO count VALUES (?, ?)", bodies)
            self.database.executemany(
                "INSERT INTO outbox (event) VALUES (?)", [(event,) for event in events]
            )
            if self.waiting() > most:
                self.database.execute(THIN_OUT)

    def waiting(self) -> int:
        """Return how many readings are still to be taken in."""
        (count,) = self.database.execute("SELECT count(*) FROM outbox").fetchone()
        return int(count)

    def refused(self) -> list[tuple[str, str]]:
        """Return (event, answer) of what the exchange will not take in."""
        return self.database.execute("SELECT event, answer FROM refused ORDER BY id").fetchall()

    def oldest(self, limit: int) -> list[Spooled]:
        """Return the readings that wait longest."""
        rows = self.database.execute("SELECT id, event FROM outbox ORDER BY id LIMIT ?", (limit,))
        return [Spooled(*row) for row in rows]

    def settle(self, taken: Sequence[int], refused: Sequence[tuple[int, str]]) -> None:
        """Forget what was taken in; keep what was refused, with the answer, out of the way."""
        with self._transaction():
            self.database.executemany(
                "INSERT OR REPLACE INTO refused"
                " SELECT id, event, ?, datetime('now') FROM outbox WHERE id = ?",
                [(answer, row_id) for row_id, answer in refused],
            )
            gone = [(row_id,) for row_id in (*taken, *(row_id for row_id, _ in refused))]
            self.database.executemany("DELETE FROM outbox WHERE id = ?", gone)

    def keep(self, name: str, body: Any) -> None:
        """Remember something under a name."""
        self.database.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, json.dumps(body)))

    def kept(self, name: str) -> Any:
        """Return what was remembered, or None."""
        row = self.database.execute("SELECT body FROM kept WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")


def _count(body: dict[str, Any]) -> Count:
    chips = {name: Chip(*values) for name, values in body.pop("chips").items()}
    return Count(**body, chips=chips)
