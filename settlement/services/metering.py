"""Taking readings in: every event gets an answer of its own, and none counts twice.

Batches of one meter wait for each other (its row is locked), so that what is plausible beside
the readings stored so far is decided once. Everything a batch writes is one database transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import transaction

from exchange.foundation.market_time import market_now
from settlement.models import Meter, ReadingConflict
from settlement.services.enrolment import (
    DeviceTaken,
    NewAssignment,
    NewDevice,
    WrongDevice,
    assign_devices,
    enroll_devices,
    enroll_meter,
    revoke_assignment,
    revoke_device,
    revoke_meter,
)
from settlement.services.partitions import open_days
from settlement.services.plausibility import Boot, Point, judge
from settlement.services.reading_events import (
    BadEvent,
    Report,
    id_of,
    moment,
    parse_event,
)
from settlement.services.reading_rows import (
    Accepted,
    Service,
    boots_of,
    known_hashes,
    services_of,
    store,
)

__all__ = [
    "EVENTS_MAX",
    "Answer",
    "BatchTooLong",
    "DeviceTaken",
    "MeterRevoked",
    "NewAssignment",
    "NewDevice",
    "NotAMeter",
    "WrongDevice",
    "assign_devices",
    "enroll_devices",
    "enroll_meter",
    "ingest",
    "revoke_assignment",
    "revoke_device",
    "revoke_meter",
]

EVENTS_MAX = 1_000
Status = Literal["accepted", "duplicate", "conflict", "rejected"]


class MeterRevoked(Exception):
    """Nothing more is taken in from this meter."""


class NotAMeter(Exception):
    """Readings are reported with the key of an enrolled meter."""


class BatchTooLong(Exception):
    """More events than one batch takes."""


class StoredElsewhere(Exception):
    """An event of this meter was stored by somebody who did not hold the meter's lock."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one event; ``code``, ``pointer`` and ``detail`` say why it was rejected."""

    event_id: str | None
    status: Status
    code: str = ""
    pointer: str = ""
    detail: str = ""


def ingest(meter: Meter, events: Sequence[object]) -> list[Answer]:
    """Take in a batch of CloudEvents from ``meter``; return an answer for each, in order.

    Raises BatchTooLong or MeterRevoked with nothing written; a bad event never harms the rest.
    """
    if len(events) > EVENTS_MAX:
        raise BatchTooLong(f"{len(events)} events, at most {EVENTS_MAX}")
    with transaction.atomic():
        locked = Meter.objects.select_for_update(no_key=True).get(pk=meter.pk)
        if locked.revoked_at is not None:
            raise MeterRevoked(f"meter {meter.public_id} was revoked")
        return _Batch(locked, events, market_now()).take_in()


class _Batch:
    """One batch on its way in: parsed, told from repeats, weighed, written."""

    def __init__(self, meter: Meter, events: Sequence[object], now: datetime) -> None:
        self.meter = meter
        self.answers: list[Answer | None] = [None] * len(events)
        self.events = events
        self.reports: list[tuple[int, Report]] = []
        for place, event in enumerate(events):
            try:
                report = parse_event(event, source=meter.public_id, now=now)
            except BadEvent as bad:
                self._reject(place, id_of(event), bad)
            else:
                self.reports.append((place, report))

    def take_in(self) -> list[Answer]:
        """Write what can be accepted and every conflict; return all answers."""
        if self.reports:
            accepted = self._weigh(self._subjects(self._new()))
            if accepted:
                open_days({moment(each.report.ends_us).date() for each in accepted})
                if store(self.meter.pk, accepted) != len(accepted):
                    raise StoredElsewhere(self.meter.public_id)
            self._keep_conflicts()
        return [answer for answer in self.answers if answer is not None]

    def _new(self) -> list[tuple[int, Report]]:
        """Answer repeats of what is stored; return the rest."""
        self.known = known_hashes(self.meter.pk, [report.event_id for _, report in self.reports])
        return [each for each in self.reports if not self._is_repeat(*each)]

    def _is_repeat(self, place: int, report: Report) -> bool:
        kept = self.known.get(report.event_id)
        if kept is not None:
            status: Status = "duplicate" if kept == report.content_sha256 else "conflict"
            self.answers[place] = Answer(report.event_id, status)
        return kept is not None

    def _subjects(self, new: list[tuple[int, Report]]) -> list[tuple[int, Accepted]]:
        """Find the devices and contracts that reports speak of; reject those that do not fit."""
        services = services_of(self.meter.pk, [report for _, report in new])
        found = []
        for place, report in new:
            try:
                service = _serving(report, services.get((report.contract, report.device), []))
            except BadEvent as bad:
                self._reject(place, report.event_id, bad)
            else:
                found.append((place, Accepted(report, service)))
        return found

    def _weigh(self, candidates: list[tuple[int, Accepted]]) -> list[Accepted]:
        """Judge each report beside what is stored and what this batch brought before it."""
        if not candidates:
            return []
        boots = boots_of(self.meter.pk, [each for _, each in candidates])
        accepted = []
        for place, each in candidates:
            if self._is_repeat(place, each.report):  # of one that was accepted just now
                continue
            try:
                _judge_and_add(each, boots.setdefault(each.service.device_id, {}))
            except BadEvent as bad:
                self._reject(place, each.report.event_id, bad)
            else:
                self.known[each.report.event_id] = each.report.content_sha256
                self.answers[place] = Answer(each.report.event_id, "accepted")
                accepted.append(each)
        return accepted

    def _keep_conflicts(self) -> None:
        ReadingConflict.objects.bulk_create(
            [
                ReadingConflict(
                    meter=self.meter,
                    event_id=report.event_id,
                    content_sha256=report.content_sha256,
                    body=self.events[place],
                )
                for place, report in self.reports
                if (answer := self.answers[place]) and answer.status == "conflict"
            ],
            ignore_conflicts=True,
        )

    def _reject(self, place: int, event_id: str | None, bad: BadEvent) -> None:
        self.answers[place] = Answer(event_id, "rejected", bad.code, bad.pointer, bad.detail)


def _serving(report: Report, services: Sequence[Service]) -> Service:
    for service in services:
        if report.starts_us < service.ends_us and service.starts_us < report.ends_us:
            if service.is_revoked:
                raise BadEvent("device_revoked", "/subject", "the device was revoked")
            return service
    raise BadEvent(
        "device_not_assigned", "/subject", "this device does not serve this contract then"
    )


def _judge_and_add(each: Accepted, boots: dict[UUID, Boot]) -> None:
    point, boot_id = Point.of(each.report), each.report.boot_id
    boot = boots.get(boot_id, Boot())
    others = [other for name, other in boots.items() if name != boot_id]
    judge(point, boot, others, each.service.claim)
    boot.add(point)
    boots[boot_id] = boot
