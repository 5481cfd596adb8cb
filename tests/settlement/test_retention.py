"""Old readings leave the table by rule; that they were accepted stays known for good."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from settlement.models import DeliveryPeriod, Reading, ReadingEvent
from settlement.services.metering import ingest
from settlement.services.partitions import old_days
from settlement.services.settling import settle_due
from tests.settlement.deliveries import HOUR, TEN, Delivery, a_delivery, an_event, broken, play_at

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 5)


def final_delivery() -> Delivery:
    """Return a delivery whose hour is settled for good, read on the fifth of January."""
    delivery = a_delivery()
    play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    settle_due(play_at(TEN + timedelta(days=20)))
    assert DeliveryPeriod.objects.get().state == "final"
    return delivery


def stands(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        return bool(cursor.fetchone()[0])


def retire(*words: str) -> str:
    out = StringIO()
    call_command("retire_readings", *words, stdout=out)
    return out.getvalue()


def test_a_settled_day_goes_when_it_is_old_and_not_before() -> None:
    final_delivery()

    assert DAY not in old_days(play_at(TEN + timedelta(days=40)), keep_days=60)
    assert DAY in old_days(play_at(TEN + timedelta(days=70)), keep_days=60)


def test_a_day_that_a_period_may_still_be_reckoned_from_stays() -> None:
    final_delivery()
    DeliveryPeriod.objects.update(state="disputed")

    assert DAY not in old_days(play_at(TEN + timedelta(days=700)), keep_days=60)


def test_a_dropped_day_is_gone_and_its_events_count_no_second_time() -> None:
    delivery = final_delivery()
    play_at(TEN + timedelta(days=70))

    assert "2026-01-05 dropped" in retire("--days", "60", "--drop")

    assert not stands("settlement_reading_20260105")
    assert not Reading.objects.exists()
    assert ReadingEvent.objects.count() == 1
    (answer,) = ingest(delivery.meter, [an_event(delivery)])
    assert answer.status != "accepted"
    assert broken() == []


def test_a_detached_day_can_be_kept_elsewhere() -> None:
    final_delivery()
    play_at(TEN + timedelta(days=70))

    assert "2026-01-05 detached" in retire("--days", "60")

    assert stands("settlement_reading_20260105")
    assert not Reading.objects.exists()
    assert "2026-01-05" not in retire("--days", "60")


def test_readings_are_not_retired_before_they_can_be_disputed() -> None:
    with pytest.raises(CommandError, match="35 days"):
        retire("--days", "3")
