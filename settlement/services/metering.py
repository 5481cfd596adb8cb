"""Taking readings in: every event gets an answer of its own, and none counts twice.

Batches of one meter wait for each other (its row is locked), so that what is plausible beside
the readings stored so far is decided once. Everything a batch writes is one database transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

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
from settlement.services.plausibility import Boot, judge
from settlement.services.reading_events import (
    BadEvent,
    Report,
    id_of,
    micros,
    moment,
    parse_event,
)
from settlement.services.reading_rows import (
    Accepted,
    Service,
    add_neighbours,
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
Boots = dict[int, dict[str, Boot]]
Served = tuple[int, Accepted | None, BadEvent | None]


class MeterRevoked(Exception):
    """Nothing more is taken in from this meter."""


class NotAMeter(Exception):
    """Readings are reported, and what to watch is asked, with the key of an enrolled meter."""


class BatchTooLong(Exception):
    """More events than one batch takes."""


class UsedBefore(Exception):
    """A reading that seemed new by its number came under an id that was used before."""


class Answer(NamedTuple):
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
        now = market_now()
        try:
            with transaction.atomic():
                return _Batch(locked, events, now).take_in()
        except UsedBefore:
            return _Batch(locked, events, now).take_in(ask_all=True)


class _Batch:
    """One batch on its way in: parsed, told from repeats, weighed, written."""

    def __init__(self, meter: Meter, events: Sequence[object], now: datetime) -> None:
        self.meter = meter
        self.answers: list[Answer | None] = [None] * len(events)
        self.events = events
        self.reports: list[tuple[int, Report]] = []
        now_us = micros(now)
        for place, event in enumerate(events):
            try:
                report = parse_event(event, source=meter.public_id, now_us=now_us)
            except BadEvent as bad:
                self._reject(place, id_of(event), bad)
            else:
                self.reports.append((place, report))

    def take_in(self, *, ask_all: bool = False) -> list[Answer]:
        """Write what can be accepted and every conflict; return all answers.

        Readings with higher numbers than their streams have are new, and their ids are not asked
        for one by one unless ``ask_all``. Raises UsedBefore if the database finds one used.
        """
        if self.reports:
            served = self._served()
            boots = boots_of(self.meter.pk, [each for _, each, _ in served if each])
            new = self._new(served, {} if ask_all else boots)
            accepted = self._weigh(new, boots)
            if accepted:
                ends = {each.report.ends_us for each in accepted}
                open_days({moment(each).date() for each in ends})
                if store(self.meter.pk, accepted) != len(accepted):
                    raise UsedBefore(self.meter.public_id)
            self._keep_conflicts()
        return [answer for answer in self.answers if answer is not None]

    def _served(self) -> list[Served]:
        """Find the devices and contracts that reports speak of, or why there are none."""
        services = services_of(self.meter.pk, [report for _, report in self.reports])
        found: list[Served] = []
        for place, report in self.reports:
            try:
                service = _serving(report, services.get((report.contract, report.device), ()))
            except BadEvent as bad:
                found.append((place, None, bad))
            else:
                found.append((place, Accepted(report, service), None))
        return found

    def _new(self, served: list[Served], boots: Boots) -> list[tuple[int, Accepted]]:
        """Answer repeats of what is stored, and what nobody serves; return the rest."""
        asked = [
            report.event_id
            for (_, report), (_, each, _) in zip(self.reports, served, strict=True)
            if each is None or not _follows(each, boots)
        ]
        self.known = known_hashes(self.meter.pk, asked) if asked else {}
        new = []
        for (place, report), (_, each, bad) in zip(self.reports, served, strict=True):
            if self._is_repeat(place, report):
                continue
            if each is not None:
                new.append((place, each))
            elif bad is not None:
                self._reject(place, report.event_id, bad)
        return new

    def _is_repeat(self, place: int, report: Report) -> bool:
        kept = self.known.get(report.event_id)
        if kept is not None:
            status: Status = "duplicate" if kept == report.content_sha256 else "conflict"
            self.answers[place] = Answer(report.event_id, status)
        return kept is not None

    def _weigh(self, candidates: list[tuple[int, Accepted]], boots: Boots) -> list[Accepted]:
        """Judge each report beside what is stored and what this batch brought before it."""
        add_neighbours(self.meter.pk, [each for _, each in candidates], boots)
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


def _follows(each: Accepted, boots: Boots) -> bool:
    """Return whether it comes after all that is stored of its stream: then it is new."""
    report = each.report
    boot = boots.get(each.service.device_id, {}).get(report.boot_id)
    return boot is not None and all(
        point.seq < report.seq and point.ends_us <= report.starts_us for point in boot.points
    )


def _serving(report: Report, services: Sequence[Service]) -> Service:
    """Return the service that a report falls into, or says the counters at the beginning of."""
    for service in services:
        if report.starts_us < service.ends_us and service.starts_us <= report.ends_us:
            if service.is_revoked:
                raise BadEvent("device_revoked", "/subject", "the device was revoked")
            return service
    raise BadEvent(
        "device_not_assigned", "/subject", "this device does not serve this contract then"
    )


def _judge_and_add(each: Accepted, boots: dict[str, Boot]) -> None:
    report, boot_id = each.report, each.report.boot_id
    boot = boots.get(boot_id) or Boot()
    others = (other for name, other in boots.items() if name != boot_id)
    judge(report, boot, others, each.service.claim)
    boot.add(report)
    boots[boot_id] = boot
