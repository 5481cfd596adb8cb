"""The audit names each rule of metering, settling and billing that a fault breaks."""

from datetime import timedelta

import pytest

from settlement.queries.audit import audit_books
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.settlement.deliveries import HOUR, TEN, a_delivery, a_period, hourly, play_at
from tests.settlement.delivery_faults import FAULTS
from tests.settlement.tampering import tamper

pytestmark = pytest.mark.django_db
RULES = set(range(9, 21))


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


def test_it_finds_nothing_in_what_was_settled_and_billed(books: None) -> None:
    assert broken() == set()


@pytest.mark.parametrize("fault", FAULTS)
def test_it_names_every_rule_that_a_fault_breaks(books: None, fault: str) -> None:
    statement, numbers = FAULTS[fault]

    tamper(statement)

    assert broken() == numbers


def test_every_rule_from_9_to_20_has_a_fault_that_breaks_it() -> None:
    assert set().union(*(numbers for _, numbers in FAULTS.values())) == RULES
