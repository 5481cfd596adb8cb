"""What beat knocks on: settle, finalize, make room, and sound the alarm."""

import logging
from datetime import timedelta

import pytest
from django.db import connection

from settlement.models import AuditResult, SettlementRun, Statement
from settlement.queries.audit_results import last_audit
from settlement.queries.invariants import all_invariants
from settlement.tasks import audit_books, settle_due_periods
from tests.settlement.deliveries import HOUR, TEN, a_delivery, play_at

pytestmark = pytest.mark.django_db


def test_one_knock_settles_by_the_markets_clock_and_makes_room_for_readings() -> None:
    a_delivery()
    play_at(TEN + 3 * HOUR)

    settle_due_periods()

    assert SettlementRun.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('settlement_reading_20260108') IS NOT NULL")
        assert cursor.fetchone() == (True,)


def test_a_knock_after_the_month_finalizes_its_statements() -> None:
    a_delivery()
    play_at(TEN + 3 * HOUR)
    settle_due_periods()
    play_at(TEN + timedelta(days=40))

    settle_due_periods()

    assert Statement.objects.exclude(number=None).count() == 2


def test_a_broken_rule_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    a_delivery()
    with caplog.at_level(logging.ERROR):
        audit_books()
    assert not caplog.records

    with connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_ledgeraccount SET debits_pending = 0")
    with caplog.at_level(logging.ERROR):
        audit_books()

    assert "pending = open parts of holds" in caplog.text


def test_each_audit_leaves_one_result_for_each_rule() -> None:
    a_delivery()
    AuditResult.objects.create(
        invariant="a rule of old", number=0, broken_count=0, seconds=0.0, finished_at=TEN
    )

    audit_books()
    audit_books()

    results = last_audit()
    assert [each.invariant for each in results] == [each.says for each in all_invariants()]
    assert {(each.broken_count, each.broken_since) for each in results} == {(0, None)}
    assert len({each.finished_at for each in results}) == 1
    assert all(each.seconds > 0 for each in results)


def test_a_broken_rule_keeps_the_time_since_when_until_it_holds_again() -> None:
    a_delivery()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE settlement_ledgeraccount SET debits_pending = debits_pending + 1")
        audit_books()
        first = AuditResult.objects.get(number=3)
        audit_books()
        second = AuditResult.objects.get(number=3)
        cursor.execute("UPDATE settlement_ledgeraccount SET debits_pending = debits_pending - 1")
        audit_books()

    assert first.broken_count == len(first.first) > 0
    assert first.broken_since == first.finished_at == second.broken_since
    assert second.finished_at > first.finished_at
    mended = AuditResult.objects.get(number=3)
    assert (mended.broken_count, mended.first, mended.broken_since) == (0, [], None)
