"""Writes readings as the CloudEvents that the exchange takes in."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_COUNTERS = ("boot_id", "seq", "accel_ms_total", "energy_mj_total", "util_ppm")


def event_of(meter: str, reading: Mapping[str, Any]) -> str:
    """Return the event as it will be sent, however often: the same reading is the same text."""
    data = {name: reading[name] for name in _COUNTERS if name in reading}
    data["period_start"] = instant(reading["starts_ms"])
    data["period_end"] = instant(reading["ends_ms"])
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "compute.reading.v1",
            "source": meter,
            "id": f"{reading['subject'].partition('/')[2]}/{reading['boot_id']}/{reading['seq']}",
            "subject": reading["subject"],
            "data": data,
        },
        sort_keys=True,
    )


def instant(at_ms: int) -> str:
    """Return a moment as the exchange reads it."""
    return (EPOCH + at_ms * _MILLISECOND).isoformat(timespec="milliseconds")


def millis(text: str) -> int:
    """Return a moment that the exchange wrote, in milliseconds since 1970, rounded down."""
    return (datetime.fromisoformat(text) - EPOCH) // _MILLISECOND
