"""The audit of 1,000,000 transfers, against one aggregate query over the same rows.

Audit: ``audit_books``, every invariant, asked of one snapshot. The aggregate: what each account
paid and was paid, from the transfers alone, which is the least that says whether balances are
right.
"""

import statistics
import time

from django.db import connection, transaction

from settlement.queries.audit import audit_books
from settlement.services.ledger import post_batch
from tests.bench import house
from tests.bench.posting import SIZE, Books
from tests.bench.tables import Table

RATIO_MIN = 0.5
ROUNDS = 5
TRANSFERS = 1_000_000
AGGREGATE = """
SELECT account_id, sum(debit), sum(credit), count(*)
FROM (SELECT debit_id AS account_id, amount_micros AS debit, 0 AS credit FROM settlement_transfer
      UNION ALL SELECT credit_id, 0, amount_micros FROM settlement_transfer) AS sides
GROUP BY account_id
"""


def run() -> list[Table]:
    """Post, then audit and add up in turn."""
    with house.fresh_database():
        books = Books()
        for number in range(TRANSFERS // SIZE):
            post_batch(books.batch(number), key=f"bench {number}")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        rounds = [(_audited(), _added_up()) for _ in range(1 + ROUNDS)][1:]
    ratios = [added_up / audited for audited, added_up in rounds]
    ratio = statistics.median(ratios)
    table = Table(
        f"The audit of {TRANSFERS:,} transfers: at least {RATIO_MIN} of the rate of one aggregate "
        "query over the same rows",
        ["rounds", "audit, s", "aggregate, s", "ratio", "from", "to"],
    )
    table.add(
        ROUNDS,
        *(f"{statistics.median(each[n] for each in rounds):.2f}" for n in (0, 1)),
        *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
        holds=ratio >= RATIO_MIN,
    )
    return [table]


def _audited() -> float:
    begun = time.perf_counter()
    broken = [finding for finding in audit_books() if not finding.holds]
    taken = time.perf_counter() - begun
    assert not broken, broken
    return taken


def _added_up() -> float:
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(AGGREGATE)
        cursor.fetchall()
    return time.perf_counter() - begun
