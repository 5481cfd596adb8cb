"""Writing the outbox: rows that stand or fall with the effect that they tell of."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.models import EventType, WebhookEndpoint
from accounts.models.events import FIREHOSE, new_event_id
from accounts.models.webhooks import EndpointState

COPY = """
COPY accounts_outboxevent (public_id, type, organization_id, about, data, happened_at) FROM STDIN
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """What happened; ``organization_id`` None tells everybody. ``data`` is JSON as it is sent."""

    type: EventType
    organization_id: int | None
    about: str
    happened_at: datetime
    data: dict[str, Any] = field(default_factory=dict)


def write_events(events: Iterable[NewEvent]) -> None:
    """Write events in the database transaction that is open, by one COPY."""
    rows = [
        (
            new_event_id(),
            event.type.value,
            event.organization_id,
            event.about,
            json.dumps(event.data),
            event.happened_at,
        )
        for event in events
    ]
    if not rows:
        return
    assert connection.in_atomic_block, "an event is written with its effect, or not at all"
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for row in rows:
            copy.write_row(row)


def listeners_for(kind: EventType) -> frozenset[int]:
    """Return the organizations with an endpoint that listens for a kind of FIREHOSE."""
    assert kind in FIREHOSE, f"{kind} is written for everybody whom it concerns"
    found = WebhookEndpoint.objects.filter(state=EndpointState.ENABLED).values_list(
        "organization_id", "event_types"
    )
    return frozenset(owner for owner, types in found if not types or kind in types)
