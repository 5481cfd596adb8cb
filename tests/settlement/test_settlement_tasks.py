"""What beat knocks on: settle, finalize, make room, and sound the alarm."""

import logging
from datetime import timedelta

import pytest
from django.db import connection

from settlement.models import SettlementRun, Statement
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
