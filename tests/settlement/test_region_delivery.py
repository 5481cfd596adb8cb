"""Regions in the control room: what was owed and delivered there, and what draws power now."""

from datetime import timedelta

import pytest

from settlement.queries.late_meters import late_meters
from settlement.queries.region_delivery import (
    delivery_by_region,
    last_delivery_ended_at,
    regions_now,
)
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MINUTE,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    play_at,
)

pytestmark = pytest.mark.django_db
HALF = timedelta(minutes=30)


@pytest.fixture
def delivery() -> Delivery:
    return a_delivery(hours=3)


def test_a_reckoned_hour_counts_by_its_latest_run(delivery: Delivery) -> None:
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery, energy_mj_total=700 * 3_600_000)])
    settle_due(now)

    row = delivery_by_region(TEN, TEN + HOUR)["guizhou"]

    assert (row.contracted_ms, row.delivered_ms, row.unsettled_ms) == (HOUR_MS, HOUR_MS, 0)
    assert (row.energy_wh, row.chips_wh, row.renewable_wh) == (840, 700, 420)
    assert (row.delivered_micros, row.pue_micros) == (1_000_000, 1_200_000)
    assert (row.renewable_micros, row.domestic_micros) == (500_000, 0)
    assert row.tflops_ms == 989 * HOUR_MS


def test_an_hour_that_no_run_has_reckoned_counts_by_its_meters(delivery: Delivery) -> None:
    play_at(TEN + HOUR + MINUTE)
    ingest(delivery.meter, [an_event(delivery, total=HOUR_MS // 2)])

    row = delivery_by_region(TEN, TEN + HOUR)["guizhou"]

    assert (row.contracted_ms, row.unsettled_ms) == (HOUR_MS, HOUR_MS)
    assert row.delivered_ms == HOUR_MS // 2
    assert row.renewable_micros is None


def test_an_hour_that_is_not_over_does_not_count(delivery: Delivery) -> None:
    assert delivery_by_region(TEN - HOUR, TEN + HOUR - MINUTE) == {}
    assert last_delivery_ended_at(TEN + HOUR - MINUTE) is None
    assert last_delivery_ended_at(TEN + 2 * HOUR) == TEN + 2 * HOUR


def test_a_running_hour_draws_the_power_that_its_counters_show(delivery: Delivery) -> None:
    now = play_at(TEN + HOUR + MINUTE)
    for number, watt_hours in enumerate((300, 600)):
        event = an_event(
            delivery,
            seq=number + 1,
            starts=TEN + number * HALF,
            ends=TEN + (number + 1) * HALF,
            total=(number + 1) * HOUR_MS // 2,
            energy_mj_total=watt_hours * 3_600_000,
        )
        ingest(delivery.meter, [event])

    row = regions_now(now, heard_since=now - HALF)["guizhou"]

    assert (row.contracted_lots, row.reporting_lots) == (1_000, 1_000)
    assert row.watts == 720  # 300 Wh in half an hour, at a PUE of 1.2


def test_a_silent_device_is_contracted_and_not_reporting(delivery: Delivery) -> None:
    now = play_at(TEN + HALF)
    row = regions_now(now, heard_since=now - HALF)["guizhou"]
    assert (row.contracted_lots, row.reporting_lots, row.watts) == (1_000, 0, None)


def test_a_meter_is_late_once_it_was_silent_for_too_long(delivery: Delivery) -> None:
    assert late_meters(TEN + HALF, since=TEN - MINUTE) == []
    (late,) = late_meters(TEN + HOUR, since=TEN + HALF)
    assert (late.meter, late.heard_at) == (delivery.meter.public_id, None)
    assert (late.devices, late.contracts) == (1, 1)

    play_at(TEN + HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    assert late_meters(TEN + HOUR, since=TEN + HALF) == []
    (late,) = late_meters(TEN + 2 * HOUR, since=TEN + HOUR + HALF)
    assert late.heard_at == TEN + HOUR
    assert late_meters(TEN + 5 * HOUR, since=TEN + 4 * HOUR) == []  # nothing runs any more
