"""Meters and settlers that come at the same moment, on connections of their own."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from settlement.models import (
    AccountKind,
    Reading,
    ReadingEvent,
    ReadingStream,
    SettlementRun,
    Statement,
)
from settlement.services.metering import ingest
from settlement.services.partitions import open_days
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.settlement.deliveries import (
    HOUR,
    MONEY,
    TEN,
    a_delivery,
    an_event,
    balance,
    broken,
    hourly,
    play_at,
)

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 4


@pytest.fixture(autouse=True)
def _clean(clean_readings: None) -> None:
    """Leave no readings to other tests."""


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Run each task in a thread with its own connection, all from one starting gun."""
    gun = threading.Barrier(len(tasks))
    results: list[Any] = [None] * len(tasks)

    def run(place: int, task: Callable[[], Any]) -> None:
        try:
            gun.wait()
            results[place] = task()
        except BaseException as error:  # noqa: BLE001  # handed to the test
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_same_event_from_many_connections_counts_once() -> None:
    play_at(TEN + 3 * HOUR)
    delivery = a_delivery()
    event = an_event(delivery)

    answers = at_once(*[lambda: ingest(delivery.meter, [event])[0].status] * TOGETHER)

    assert sorted(answers) == ["accepted"] + (TOGETHER - 1) * ["duplicate"]
    assert (Reading.objects.count(), ReadingEvent.objects.count()) == (1, 1)
    assert broken() == []


def test_two_stories_of_one_hour_at_once_are_told_apart() -> None:
    play_at(TEN + 3 * HOUR)
    delivery = a_delivery()
    stories = [an_event(delivery, total=total) for total in range(1, TOGETHER + 1)]

    answers = at_once(
        *[lambda story=story: ingest(delivery.meter, [story])[0].status for story in stories]
    )

    assert sorted(answers) == ["accepted"] + (TOGETHER - 1) * ["conflict"]
    assert ReadingStream.objects.get().received_count == 1


def test_many_settlers_at_once_settle_each_period_once() -> None:
    now = play_at(TEN + 30 * HOUR)
    delivery = a_delivery(hours=12)
    ingest(delivery.meter, hourly(delivery, 12))

    done = at_once(*[lambda: settle_due(now)] * TOGETHER)

    assert sum(done) == SettlementRun.objects.count()
    price = 10_000_000
    assert balance(delivery.buyer, AccountKind.AVAILABLE) == MONEY - 12 * (price + price // 100)
    assert broken() == []


def test_statements_finalized_by_many_at_once_have_numbers_without_gaps() -> None:
    for number in range(3):
        a_delivery(bid=f"bid_{number}")
    settle_due(play_at(TEN + 3 * HOUR))
    later = play_at(TEN + 60 * 24 * HOUR)

    done = at_once(*[lambda: finalize_due(later)] * TOGETHER)

    assert sum(done) == Statement.objects.exclude(number=None).count() == 6
    assert broken() == []


def test_many_make_room_for_the_same_day_at_once() -> None:
    days = [TEN.date().replace(year=2031)]

    made = at_once(*[lambda: open_days(days)] * TOGETHER)

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE settlement_reading_20310105")
    assert sorted(made) == [0] * (TOGETHER - 1) + [1]
