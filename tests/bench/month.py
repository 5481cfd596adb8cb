"""A month of 100,000 contract periods whose meters lose, repeat, contradict, shuffle and lie.

Not a race: what is settled by R2 is held against what the devices truly delivered, to the
millisecond, and every lie above the tolerance must be in dispute. ``tests.settlement.month`` says
how the meters behave; ``make test`` lives through a small one.
"""

import time

from django.db import connection

from settlement.queries.audit import audit_books
from tests.bench import house
from tests.bench.tables import Table
from tests.settlement.month import Outcome, Size, live_through

SIZE = Size(providers=100, buyers=1_000, hours=100, days=26)


def run() -> list[Table]:
    """Live through the month and audit it."""
    with house.fresh_database():
        outcome = live_through(SIZE)
        begun = time.perf_counter()
        findings = audit_books(contents=True)
        audited_s = time.perf_counter() - begun
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM settlement_transfer")
            transfers = cursor.fetchone()[0]
    broken = sum(finding.broken_count for finding in findings)
    return [_found(outcome, broken, len(findings)), _took(outcome, transfers, audited_s)]


def _found(outcome: Outcome, broken: int, rules: int) -> Table:
    table = Table(
        f"A month: {SIZE.providers} providers, {SIZE.buyers:,} buyers, {SIZE.periods:,} contract "
        "periods; 20 % of readings lost or late, 5 % repeated, 2 % conflicting, shuffled, reboots, "
        "clocks 2 s off, 12 of 1,100 meters lying",
        ["by R2", "of", "must be", "are"],
    )
    for name, of, must, found in (
        ("honest periods settled other than delivered", outcome.honest, 0, len(outcome.wrong)),
        ("honest periods in dispute", outcome.honest, 0, len(outcome.accused)),
        ("lies above tolerance not in dispute", outcome.lies, 0, len(outcome.unseen)),
        ("rows that break an invariant", f"{rules} rules", 0, broken),
    ):
        table.add(name, f"{of:,}" if isinstance(of, int) else of, must, found, holds=found == must)
    table.add("corrected since the provisional run", f"{SIZE.periods:,}", "", outcome.corrected)
    for word, count in sorted(outcome.answers.items()):
        table.add(f"events: {word}", f"{sum(outcome.answers.values()):,}", "", f"{count:,}")
    return table


def _took(outcome: Outcome, transfers: int, audited_s: float) -> Table:
    events = sum(outcome.answers.values())
    runs = 3 * SIZE.periods
    table = Table("What the month took, one process", ["part", "how many", "s", "a second"])
    for name, count, seconds in (
        ("readings taken in, 100-500 a batch", events, outcome.reported_s),
        ("runs (provisional, R1, R2), posted", runs, outcome.settled_s),
        ("audit with every batch rehashed, of transfers", transfers, audited_s),
    ):
        table.add(name, f"{count:,}", f"{seconds:.0f}", f"{count / seconds:,.0f}")
    return table
