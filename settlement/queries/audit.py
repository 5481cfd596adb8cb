"""The audit of the books: every invariant asked of one and the same moment."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from settlement.queries.chain import LEAF
from settlement.queries.invariants import Invariant, all_invariants

SHOWN = 5  # rows of a broken rule that a finding carries; it counts all
SUMS = """
CREATE TEMP TABLE transfer_sums ON COMMIT DROP AS
SELECT debit_id, credit_id, hold_id, sum(amount_micros)::bigint AS amount, count(*) AS count
FROM settlement_transfer GROUP BY debit_id, credit_id, hold_id;
CREATE TEMP TABLE period_sums ON COMMIT DROP AS
SELECT period_id, run_no, code, debit_id, credit_id, sum(amount_micros)::bigint AS amount
FROM settlement_transfer WHERE period_id IS NOT NULL
GROUP BY period_id, run_no, code, debit_id, credit_id;
CREATE TEMP TABLE batch_sums ON COMMIT DROP AS
SELECT batch_id, count(*)::int AS count, sum(amount_micros)::bigint AS amount
FROM settlement_transfer GROUP BY batch_id;
ANALYZE transfer_sums, period_sums, batch_sums
"""
DROP_SUMS = "DROP TABLE transfer_sums, period_sums, batch_sums"
CONTENTS = Invariant(
    0,
    "every batch's hash is that of its transfers",
    f"""
    SELECT batch.id, batch.key FROM settlement_batch AS batch
    WHERE content_sha256 IS DISTINCT FROM (
        SELECT sha256(convert_to(string_agg({LEAF}, E'\\n' ORDER BY id), 'UTF8'))
        FROM settlement_transfer AS transfer WHERE transfer.batch_id = batch.id)
    """,  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What an audit found of one rule: how many rows break it, the first few, and the time."""

    invariant: Invariant
    broken_count: int
    first: list[tuple[Any, ...]]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether no row breaks the rule."""
        return self.broken_count == 0


def audit_books(*, contents: bool = False) -> list[Finding]:
    """Ask every invariant, all of one snapshot; with ``contents`` also rehash every batch."""
    rules = [*all_invariants(), *([CONTENTS] if contents else [])]
    with _one_moment() as cursor:
        cursor.execute(SUMS)
        findings = [_ask(cursor, rule) for rule in rules]
        cursor.execute(DROP_SUMS)
    return findings


@contextmanager
def _one_moment() -> Iterator[CursorWrapper]:
    """Yield a cursor whose statements all see the same rows, while the market goes on."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:  # inside another database transaction its own view has to do
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield cursor


def _ask(cursor: CursorWrapper, rule: Invariant) -> Finding:
    started = time.perf_counter()
    cursor.execute(rule.query)
    first = cursor.fetchmany(SHOWN)
    return Finding(rule, cursor.rowcount, first, time.perf_counter() - started)
