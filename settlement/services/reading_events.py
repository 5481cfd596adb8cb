"""From an event as it came to a report that can be weighed, or to the reason why it cannot.

CloudEvents 1.0 (type ``compute.reading.v1``), read strictly: every limit has a code, and an
event's content hash covers all of it. Pure; nothing here looks at the database.

A batch has a thousand events that repeat few texts: subjects, moments and boots are remembered once
they were read, and what has the usual shape is told by comparing whole sets and tuples.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from exchange.foundation.ids import is_id
from settlement.models.metering import EVENT_ID_LENGTH_MAX

EVENT_TYPE = "compute.reading.v1"
ATTRIBUTES_MAX = 24
COUNTER_MAX = 10**15
SEQ_MAX = 10**9
PPM = 1_000_000
PERIOD_MAX_US = 24 * 3600 * 1_000_000
SKEW_US = 5 * 1_000_000
"""By how much a meter's clock may be ahead of the market's."""
AGE_MAX_US = 45 * 24 * 3600 * 1_000_000
QUALITIES = frozenset({"measured", "estimated"})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_NAME = re.compile(r"[a-z0-9]{1,20}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REQUIRED = ("specversion", "id", "source", "type", "subject", "data")
_USUAL = frozenset({*_REQUIRED, "time", "datacontenttype"})
_SHAPES = (frozenset(_REQUIRED), frozenset({*_REQUIRED, "datacontenttype"}))
TEXT_MAX = 100
"""No subject, moment or boot is longer; nothing longer is remembered."""
_REMEMBERED = 1 << 14
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_FIELDS = frozenset(
    {
        "boot_id",
        "seq",
        "period_start",
        "period_end",
        "accel_ms_total",
        "energy_mj_total",
        "util_ppm",
        "quality",
    }
)


class BadEvent(Exception):
    """An event that is not taken in: a stable code, where, and why."""

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.pointer, self.detail = code, pointer, detail


class Report(NamedTuple):
    """One well-formed reading. Times in microseconds since 1970, counters since the boot."""

    event_id: str
    content_sha256: bytes
    contract: str
    device: str
    boot_id: str
    seq: int
    starts_us: int
    ends_us: int
    accel_ms: int
    energy_mj: int | None
    util_ppm: int | None
    quality: str


def parse_event(event: object, *, source: str, now_us: int) -> Report:
    """Return what ``event`` reports. Raises BadEvent.

    ``source`` is the public id of the meter whose key was used.
    """
    event = _object_of(event)
    _check_attributes(event, source)
    data = event["data"]
    if not isinstance(data, dict):
        raise BadEvent("data_invalid", "/data", "data is an object")
    if not data.keys() <= _FIELDS:
        unknown = min(data.keys() - _FIELDS)
        raise BadEvent("field_unknown", f"/data/{unknown[:40]}", "no such field")
    contract, device = _subject_of(event["subject"])
    starts, ends = _period_of(data, now_us)
    return Report(
        event["id"],
        content_sha256(event),  # of a checked event: nothing in it is inexact
        contract,
        device,
        _boot_of(data),
        _whole(data, "seq", least=1, most=SEQ_MAX),
        starts,
        ends,
        _whole(data, "accel_ms_total", most=COUNTER_MAX),
        _whole_or_none(data, "energy_mj_total", most=COUNTER_MAX),
        _whole_or_none(data, "util_ppm", most=PPM),
        _quality_of(data),
    )


def id_of(event: object) -> str | None:
    """Return an event's id if it has one that can be repeated in the answer."""
    found = event.get("id") if isinstance(event, dict) else None
    return found if isinstance(found, str) and len(found) <= EVENT_ID_LENGTH_MAX else None


def content_sha256(event: Mapping[str, Any]) -> bytes:
    """Return the hash of an event's content, whatever the order of its names."""
    try:
        text = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number of more than 64 bits
        text = b"\xff"
    if not text.isascii() or b"\x7f" in text:  # the hash is of the spelling in printable ASCII
        text = _canonical(event).encode()
    return hashlib.sha256(text).digest()


def micros(at: datetime) -> int:
    """Return a moment in whole microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def moment(at_us: int) -> datetime:
    """Return the moment that is so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=at_us)


def _object_of(event: object) -> dict[str, Any]:
    if not isinstance(event, dict):
        raise BadEvent("event_invalid", "", "an event is an object")
    for name in _REQUIRED:
        if name not in event:
            raise BadEvent("attribute_missing", f"/{name}", f"{name} is missing")
    return event


def _check_attributes(event: dict[str, Any], source: str) -> None:
    if event.keys() not in _SHAPES:
        _check_names(event)
    _expect(event, "specversion", "1.0", "specversion_unknown")
    _expect(event, "type", EVENT_TYPE, "type_unknown")
    _expect(event, "source", source, "source_foreign")
    if event.get("datacontenttype", "application/json") != "application/json":
        raise BadEvent("datacontenttype_unknown", "/datacontenttype", "only application/json")
    event_id = event["id"]
    printable = isinstance(event_id, str) and event_id.isascii() and event_id.isprintable()
    if not printable or not 1 <= len(event_id) <= EVENT_ID_LENGTH_MAX:
        raise BadEvent("id_invalid", "/id", f"1 to {EVENT_ID_LENGTH_MAX} printable ASCII letters")


def _check_names(event: dict[str, Any]) -> None:
    """Refuse what no CloudEvent has; the usual attributes are each checked for themselves."""
    if len(event) > ATTRIBUTES_MAX:
        raise BadEvent("attributes_too_many", "", f"at most {ATTRIBUTES_MAX} attributes")
    for name, value in event.items():
        plain = isinstance(value, str | bool | int) and (name in _USUAL or _NAME.fullmatch(name))
        if name != "data" and not plain:
            raise BadEvent("attribute_invalid", f"/{name[:40]}", "not a CloudEvents attribute")


def _expect(event: dict[str, Any], name: str, expected: str, code: str) -> None:
    if event[name] != expected:
        raise BadEvent(code, f"/{name}", f"expected {expected}")


def _subject_of(subject: object) -> tuple[str, str]:
    short = isinstance(subject, str) and len(subject) <= TEXT_MAX
    found = _contract_and_device(subject) if short else None
    if found is None:
        raise BadEvent("subject_invalid", "/subject", "a contract and a device: ctr_.../dev_...")
    return found


@lru_cache(_REMEMBERED)
def _contract_and_device(subject: str) -> tuple[str, str] | None:
    contract, slash, device = subject.partition("/")
    well_formed = slash and is_id(contract, prefix="ctr") and is_id(device, prefix="dev")
    return (contract, device) if well_formed else None


def _period_of(data: dict[str, Any], now_us: int) -> tuple[int, int]:
    starts, ends = _instant(data, "period_start"), _instant(data, "period_end")
    if starts >= ends:
        raise BadEvent("period_empty", "/data/period_end", "a period ends after it starts")
    if ends - starts > PERIOD_MAX_US:
        raise BadEvent("period_too_long", "/data/period_end", "at most a day")
    if ends > now_us + SKEW_US:
        raise BadEvent("period_in_future", "/data/period_end", "that has not happened yet")
    if starts < now_us - AGE_MAX_US:
        raise BadEvent("period_too_old", "/data/period_start", "too long ago")
    return starts, ends


def _instant(data: dict[str, Any], name: str) -> int:
    text = _field(data, name)
    found = _micros_in(text) if isinstance(text, str) and len(text) <= TEXT_MAX else None
    if found is None:
        raise BadEvent("instant_invalid", f"/data/{name}", "such as 2026-12-01T08:00:00Z")
    return found


@lru_cache(_REMEMBERED)
def _micros_in(text: str) -> int | None:
    if text.isascii() and _INSTANT.fullmatch(text):
        try:
            return micros(datetime.fromisoformat(text))
        except (ValueError, OverflowError):
            pass
    return None


def _boot_of(data: dict[str, Any]) -> str:
    text = _field(data, "boot_id")
    if not (isinstance(text, str) and len(text) <= TEXT_MAX and _is_uuid(text)):
        raise BadEvent("boot_id_invalid", "/data/boot_id", "a UUID in lower case")
    return text


@lru_cache(_REMEMBERED)
def _is_uuid(text: str) -> bool:
    return bool(_UUID.fullmatch(text))


def _quality_of(data: dict[str, Any]) -> str:
    quality = data.get("quality", "measured")
    if not isinstance(quality, str) or quality not in QUALITIES:
        raise BadEvent("quality_unknown", "/data/quality", "measured or estimated")
    return quality


def _field(data: dict[str, Any], name: str) -> object:
    if name not in data:
        raise BadEvent("field_missing", f"/data/{name}", f"{name} is missing")
    found: object = data[name]
    return found


def _whole_or_none(data: dict[str, Any], name: str, *, most: int) -> int | None:
    return None if data.get(name) is None else _whole(data, name, most=most)


def _whole(data: dict[str, Any], name: str, *, most: int, least: int = 0) -> int:
    number = _field(data, name)
    if type(number) is not int:  # nor a bool
        raise BadEvent("number_invalid", f"/data/{name}", "a whole number")
    if not least <= number <= most:
        raise BadEvent("number_out_of_range", f"/data/{name}", f"from {least} to {most}")
    return number
