"""The audit names each rule of metering, settling and billing that a fault breaks."""

from datetime import timedelta

import pytest
from django.db import connection

from settlement.queries.audit import audit_books
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.settlement.deliveries import HOUR, TEN, a_delivery, a_period, hourly, play_at
from tests.settlement.delivery_faults import FAULTS

pytestmark = pytest.mark.django_db
RULES = set(range(9, 21))
DROPPED = {
    "settlement_deliveryperiod": ["delivery_period_state"],
    "settlement_settlementrun": ["settlement_run_delivered", "settlement_run_balances"],
    "settlement_statement": ["statement_numbered_once_final"],
}


@pytest.fixture
def books() -> None:
    """One period settled to its end and billed, one half-way, three readings."""
    later = a_period(24 * 40)
    delivery = a_delivery(periods=[a_period(0), later])
    play_at(TEN + 4 * HOUR)
    ingest(delivery.meter, hourly(delivery, 3))
    settle_due(play_at(TEN + timedelta(days=30)))
    settle_due(play_at(later.ends_at + 2 * HOUR))
    finalize_due(play_at(TEN + timedelta(days=60)))


def broken() -> set[int]:
    found = {each.invariant.number for each in audit_books() if not each.holds}
    return found & RULES


def tamper(statement: str) -> None:
    """Write past every trigger and constraint, as somebody with the database's password could."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, names in DROPPED.items():
            for name in names:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute("ALTER TABLE settlement_reading DISABLE TRIGGER reading_append_only")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET session_replication_role = origin")


def test_it_finds_nothing_in_what_was_settled_and_billed(books: None) -> None:
    assert broken() == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_it_names_every_rule_that_a_fault_breaks(books: None, fault: str) -> None:
    statement, numbers = FAULTS[fault]

    tamper(statement)

    assert broken() == numbers


def test_every_rule_from_9_to_20_has_a_fault_that_breaks_it() -> None:
    assert set().union(*(numbers for _, numbers in FAULTS.values())) == RULES
