"""Every event of a batch gets its own answer, and a bad one leaves nothing behind."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from settlement.models import Meter, Reading, ReadingConflict, ReadingEvent, ReadingStream
from settlement.queries.delivered import delivered_in
from settlement.services.metering import (
    EVENTS_MAX,
    Answer,
    BatchTooLong,
    MeterRevoked,
    ingest,
    revoke_assignment,
    revoke_device,
    revoke_meter,
)
from settlement.services.reading_events import content_sha256
from tests.factories import caller
from tests.settlement.deliveries import (
    HOUR,
    HOUR_MS,
    MINUTE,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    broken,
    play_at,
)

pytestmark = pytest.mark.django_db
Event = dict[str, Any]
NOW = TEN + 3 * HOUR
OTHER_BOOT = UUID(int=2)


@pytest.fixture
def delivery() -> Delivery:
    play_at(NOW)
    return a_delivery(hours=3)


def test_a_good_event_is_accepted_and_counted(delivery: Delivery) -> None:
    answers = ingest(delivery.meter, [an_event(delivery, energy_mj_total=10**9, util_ppm=0)])

    assert [each.status for each in answers] == ["accepted"]
    reading = Reading.objects.get()
    assert (reading.device, reading.contract) == (delivery.device, delivery.contract)
    assert (reading.seq, reading.accel_ms_total, reading.energy_mj_total) == (1, HOUR_MS, 10**9)
    stream = ReadingStream.objects.get()
    assert (stream.max_seq, stream.received_count, stream.missing_count) == (1, 1, 0)
    assert broken() == []


def test_the_same_event_again_is_a_duplicate_whatever_the_order_of_its_names(
    delivery: Delivery,
) -> None:
    event = an_event(delivery)
    turned = dict(reversed(event.items())) | {"data": dict(reversed(event["data"].items()))}

    first = ingest(delivery.meter, [event, event])
    again = ingest(delivery.meter, [turned])

    assert [each.status for each in first + again] == ["accepted", "duplicate", "duplicate"]
    assert Reading.objects.count() == 1


def test_a_used_id_with_other_content_is_kept_as_a_conflict_and_not_counted(
    delivery: Delivery,
) -> None:
    event = an_event(delivery)
    other = an_event(delivery, total=1)

    answers = ingest(delivery.meter, [event, other, other])
    later = ingest(delivery.meter, [other])

    assert [each.status for each in answers + later] == ["accepted"] + 3 * ["conflict"]
    assert ReadingConflict.objects.get().body == other
    assert Reading.objects.get().accel_ms_total == HOUR_MS


def test_a_reading_may_say_where_the_counters_stood_when_the_contract_began(
    delivery: Delivery,
) -> None:
    before = an_event(delivery, starts=TEN - MINUTE, ends=TEN, total=500 * HOUR_MS)
    first = an_event(delivery, seq=2, starts=TEN, total=501 * HOUR_MS - 7)

    answers = ingest(delivery.meter, [first, before])

    assert [each.status for each in answers] == ["accepted", "accepted"]
    found = delivered_in([period.pk for period in delivery.periods])
    assert found[delivery.period.pk, "provider"].accel_ms == HOUR_MS - 7
    assert broken() == []


def test_lost_numbers_are_counted_until_they_arrive(delivery: Delivery) -> None:
    ingest(delivery.meter, [minute(delivery, 1), minute(delivery, 5)])
    assert ReadingStream.objects.get().missing_count == 3

    ingest(delivery.meter, [minute(delivery, 3), minute(delivery, 2)])

    stream = ReadingStream.objects.get()
    assert (stream.max_seq, stream.received_count, stream.missing_count) == (5, 4, 1)
    assert broken() == []


def test_the_first_reading_may_arrive_last(delivery: Delivery) -> None:
    for number in (4, 2, 1, 3):
        assert statuses(delivery, minute(delivery, number)) == ["accepted"]

    stream = ReadingStream.objects.get()
    assert (stream.first_seq, stream.first_starts_at) == (1, TEN)
    assert (stream.max_seq, stream.last_accel_ms) == (4, 4 * 60_000)
    assert broken() == []


def changed(**attributes: Any) -> Callable[[Event], Event]:
    return lambda event: event | attributes


def without(name: str) -> Callable[[Event], Event]:
    return lambda event: {key: value for key, value in event.items() if key != name}


def data(**fields: Any) -> Callable[[Event], Event]:
    return lambda event: event | {"data": event["data"] | fields}


def data_without(name: str) -> Callable[[Event], Event]:
    return lambda event: event | {"data": without(name)(event["data"])}


def at(moment: datetime) -> str:
    return moment.isoformat()


BAD: dict[str, tuple[str, Callable[[Event], Any]]] = {
    "a number": ("event_invalid", lambda _: 7),
    "a list": ("event_invalid", lambda event: [event]),
    "nothing": ("event_invalid", lambda _: None),
    **{
        f"no {name}": ("attribute_missing", without(name))
        for name in ("specversion", "id", "source", "type", "subject", "data")
    },
    "a thousand attributes": (
        "attributes_too_many",
        changed(**{f"extra{number}": "1" for number in range(30)}),
    ),
    "an upper case attribute": ("attribute_invalid", changed(Extra="1")),
    "an attribute that is an object": ("attribute_invalid", changed(extra={})),
    "an attribute that is null": ("attribute_invalid", changed(extra=None)),
    "another version": ("specversion_unknown", changed(specversion="0.3")),
    "another type": ("type_unknown", changed(type="compute.reading.v2")),
    "another meter": ("source_foreign", changed(source="mtr_" + "0" * 26)),
    "a format": ("datacontenttype_unknown", changed(datacontenttype="text/xml")),
    "an empty id": ("id_invalid", changed(id="")),
    "a long id": ("id_invalid", changed(id="x" * 129)),
    "an id in Chinese": ("id_invalid", changed(id="\u4e00")),
    "an id that is a number": ("id_invalid", changed(id=5)),
    "data that is text": ("data_invalid", changed(data="x")),
    "an unknown field": ("field_unknown", data(power_mw=1)),
    "no subject": ("subject_invalid", changed(subject="")),
    "half a subject": ("subject_invalid", changed(subject="ctr_" + "0" * 26)),
    "a foreign subject": ("subject_invalid", changed(subject="bid_x/dev_y")),
    "an unknown device": (
        "device_not_assigned",
        lambda event: event | {"subject": event["subject"][:-26] + "0" * 26},
    ),
    "an unknown contract": (
        "device_not_assigned",
        lambda event: event | {"subject": "ctr_" + "0" * 26 + event["subject"][30:]},
    ),
    "no boot": ("field_missing", data_without("boot_id")),
    "a boot that is no UUID": ("boot_id_invalid", data(boot_id="1")),
    "an upper case boot": ("boot_id_invalid", data(boot_id=str(UUID(int=10**38)).upper())),
    "no seq": ("field_missing", data_without("seq")),
    "a seq of zero": ("number_out_of_range", data(seq=0)),
    "a seq in text": ("number_invalid", data(seq="1")),
    "a seq that is true": ("number_invalid", data(seq=True)),
    "a seq with a point": ("number_invalid", data(seq=1.0)),
    "a huge seq": ("number_out_of_range", data(seq=10**9 + 1)),
    "no counter": ("field_missing", data_without("accel_ms_total")),
    "a negative counter": ("number_out_of_range", data(accel_ms_total=-1)),
    "a huge counter": ("number_out_of_range", data(accel_ms_total=10**16)),
    "negative energy": ("number_out_of_range", data(energy_mj_total=-1)),
    "use above one": ("number_out_of_range", data(util_ppm=1_000_001)),
    "an unknown quality": ("quality_unknown", data(quality="guessed")),
    "a quality that is a list": ("quality_unknown", data(quality=["measured"])),
    "no start": ("field_missing", data_without("period_start")),
    "no end": ("field_missing", data_without("period_end")),
    "a start without zone": ("instant_invalid", data(period_start="2026-01-05T10:00:00")),
    "a start that is a number": ("instant_invalid", data(period_start=0)),
    "a thirteenth month": ("instant_invalid", data(period_start="2026-13-05T10:00:00Z")),
    "the year zero": ("instant_invalid", data(period_start="0000-01-05T10:00:00Z")),
    "no time between": ("period_empty", data(period_end=at(TEN))),
    "time backwards": ("period_empty", data(period_end=at(TEN - HOUR))),
    "more than a day": ("period_too_long", data(period_start=at(TEN - 24 * HOUR))),
    "the future": ("period_in_future", data(period_end=at(NOW + MINUTE))),
    "long ago": (
        "period_too_old",
        data(
            period_start=at(TEN - timedelta(days=50)),
            period_end=at(TEN - timedelta(days=50) + HOUR),
        ),
    ),
    "a boot of centuries": ("counter_outruns_clock", data(accel_ms_total=10**13)),
    "before the contract": (
        "device_not_assigned",
        data(period_start=at(TEN - 2 * HOUR), period_end=at(TEN - timedelta(microseconds=1))),
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_event_is_rejected_with_its_code_and_leaves_no_row(
    delivery: Delivery, kind: str
) -> None:
    code, spoil = BAD[kind]

    answer = ingest(delivery.meter, [spoil(an_event(delivery))])[0]

    assert (answer.status, answer.code) == ("rejected", code)
    assert answer.detail
    assert rows() == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("seq_out_of_order", {"seq": 2, "total": 100_000}),
        ("seq_out_of_order", {"seq": 1, "total": 100_000}),
        ("period_overlaps", {"starts": TEN + MINUTE, "total": 130_000}),
        ("counter_backwards", {"total": 119_999}),
        ("counter_outruns_clock", {"total": 120_000 + 60_051}),
        ("counter_backwards", {"total": 120_000, "energy_mj_total": 1}),
        ("energy_outruns_watts", {"total": 180_000, "energy_mj_total": 10**9}),
        ("boot_overlaps", {"boot": OTHER_BOOT, "starts": TEN, "seq": 1, "total": 1}),
        ("counter_outruns_clock", {"boot": OTHER_BOOT, "seq": 1, "total": 60_051}),
    ],
)
def test_what_cannot_be_true_beside_what_came_before_is_rejected(
    delivery: Delivery, code: str, fields: dict[str, Any]
) -> None:
    ingest(delivery.meter, [minute(delivery, 1), minute(delivery, 2, energy_mj_total=80_000_000)])
    before = rows()
    stated: dict[str, Any] = {"seq": 3, "starts": TEN + 2 * MINUTE, "event_id": "later"} | fields
    event = an_event(delivery, ends=TEN + 3 * MINUTE, **stated)

    answer = ingest(delivery.meter, [event])[0]

    assert (answer.status, answer.code) == ("rejected", code)
    assert rows() == before
    assert broken() == []


def test_a_late_reading_must_fit_between_its_neighbours(delivery: Delivery) -> None:
    ingest(delivery.meter, [minute(delivery, 1), minute(delivery, 5)])

    too_much = minute(delivery, 3, total=4 * 60_000)
    too_little = minute(delivery, 3, total=59_999)
    answers = ingest(delivery.meter, [too_much, too_little, minute(delivery, 3)])

    assert [each.code for each in answers] == [
        "counter_outruns_clock",
        "counter_backwards",
        "",
    ]
    assert broken() == []


def test_a_rejected_event_does_not_harm_the_rest_and_may_come_again_corrected(
    delivery: Delivery,
) -> None:
    wrong = minute(delivery, 2, total=10**9)

    first = ingest(delivery.meter, [minute(delivery, 1), wrong, minute(delivery, 3)])
    again = ingest(delivery.meter, [minute(delivery, 2)])

    assert [each.status for each in first] == ["accepted", "rejected", "accepted"]
    assert [each.status for each in again] == ["accepted"]


def test_a_meter_speaks_of_its_own_sites_devices_alone(delivery: Delivery) -> None:
    stranger = a_delivery(bid="bid_2")
    foreign = an_event(delivery, meter=stranger.meter)

    assert codes(stranger.meter, foreign) == ["device_not_assigned"]
    assert rows() == (0, 0, 0, 0)


def test_a_buyers_meter_may_speak_of_the_devices_that_serve_it(delivery: Delivery) -> None:
    meter = delivery.add_buyers_meter()

    assert codes(meter, an_event(delivery, meter=meter)) == [""]


def test_a_revoked_device_reports_nothing_more(delivery: Delivery) -> None:
    revoke_device(delivery.device, now=TEN + HOUR, reason="stolen", actor=caller())

    assert codes(delivery.meter, an_event(delivery)) == ["device_revoked"]
    assert rows() == (0, 0, 0, 0)


def test_after_its_assignment_was_revoked_a_device_serves_no_more(delivery: Delivery) -> None:
    assignment = delivery.device.assignments.get()
    revoke_assignment(assignment, now=TEN + HOUR, reason="broken", actor=caller())

    later = an_event(delivery, seq=2, starts=TEN + HOUR, total=HOUR_MS)
    assert codes(delivery.meter, an_event(delivery), later) == ["", "device_not_assigned"]


def test_a_revoked_meter_is_turned_away_as_a_whole(delivery: Delivery) -> None:
    revoke_meter(delivery.meter, now=NOW, reason="replaced", actor=caller())

    with pytest.raises(MeterRevoked):
        ingest(delivery.meter, [an_event(delivery)])

    assert rows() == (0, 0, 0, 0)


def test_a_batch_has_a_limit(delivery: Delivery) -> None:
    with pytest.raises(BatchTooLong):
        ingest(delivery.meter, [an_event(delivery)] * (EVENTS_MAX + 1))

    assert rows() == (0, 0, 0, 0)


def test_a_batch_over_several_days_finds_their_partitions() -> None:
    now = play_at(TEN + timedelta(days=3))
    delivery = a_delivery(hours=48)
    events = [
        an_event(delivery, seq=n + 1, starts=TEN + n * HOUR, total=(n + 1) * HOUR_MS)
        for n in range(48)
    ]

    answers = ingest(delivery.meter, events)

    assert {each.status for each in answers} == {"accepted"}
    assert now > TEN + 48 * HOUR
    assert Reading.objects.count() == 48


def minute(
    delivery: Delivery, number: int, *, total: int | None = None, **fields: Any
) -> dict[str, Any]:
    """Return the reading of the n-th minute, fully delivered unless told otherwise."""
    return an_event(
        delivery,
        seq=number,
        starts=TEN + (number - 1) * MINUTE,
        ends=TEN + number * MINUTE,
        total=number * 60_000 if total is None else total,
        **fields,
    )


def statuses(delivery: Delivery, *events: Event) -> list[str]:
    return [each.status for each in ingest(delivery.meter, events)]


def codes(meter: Meter, *events: Event) -> list[str]:
    answers: list[Answer] = ingest(meter, events)
    return [each.code for each in answers]


def rows() -> tuple[int, int, int, int]:
    return (
        Reading.objects.count(),
        ReadingEvent.objects.count(),
        ReadingConflict.objects.count(),
        ReadingStream.objects.count(),
    )


def test_a_new_number_under_a_used_id_is_a_conflict_and_the_rest_of_its_batch_counts(
    delivery: Delivery,
) -> None:
    first = an_event(delivery)
    ingest(delivery.meter, [first])
    reused = an_event(delivery, seq=2, starts=TEN + HOUR, total=2 * HOUR_MS, event_id=first["id"])
    third = an_event(delivery, seq=3, starts=TEN + 2 * HOUR, total=3 * HOUR_MS)

    answers = ingest(delivery.meter, [reused, third])

    assert [each.status for each in answers] == ["conflict", "accepted"]
    assert ReadingConflict.objects.get().body == reused
    assert Reading.objects.count() == 2
    assert broken() == []


@pytest.mark.parametrize("text", ["plain", "\x7f", '\t"\\/', "价格 é", "\U0001f600", "\u2028"])
def test_the_hash_of_an_event_is_that_of_its_spelling_in_ascii_with_sorted_names(text: str) -> None:
    event = {"b": text, "a": {"z": 10**15, "y": None, "x": True}, "c": -1}
    spelled = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    assert content_sha256(event) == hashlib.sha256(spelled.encode()).digest()
