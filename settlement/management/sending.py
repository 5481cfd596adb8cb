"""Two ways for a simulated meter to report: through the door, or straight into the service."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from settlement.models import Meter
from settlement.services.metering import ingest

BATCH_TYPE = "application/cloudevents-batch+json"
TRIES = 10
SECONDS_MAX = 30
Send = Callable[[str, Sequence[Mapping[str, Any]]], Counter[str]]


class DoorShut(Exception):
    """The exchange did not take a batch in."""


def through_door(url: str, tokens: Mapping[str, str]) -> Send:
    """Return a sender that posts to the REST door at ``url`` with each meter's own key."""

    def send(meter: str, events: Sequence[Mapping[str, Any]]) -> Counter[str]:
        answer = _post(f"{url.rstrip('/')}/api/v1/readings", tokens[meter], events)
        return Counter(each["code"] or each["status"] for each in answer["answers"])

    return send


def straight(meter: str, events: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """Give a batch to the service, with no HTTP in between."""
    answers = ingest(Meter.objects.get(public_id=meter), events)
    return Counter(each.code or each.status for each in answers)


def _post(url: str, token: str, events: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310  # the operator names the address
        url,
        json.dumps(events).encode(),
        {"Content-Type": BATCH_TYPE, "Authorization": f"Bearer {token}"},
    )
    for _ in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            if error.code not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
                raise DoorShut(f"{error.code}: {error.read().decode()[:500]}") from error
            time.sleep(min(int(error.headers.get("Retry-After", "1")), SECONDS_MAX))
        except (OSError, http.client.HTTPException):  # the door is away, or went amid its answer
            time.sleep(1)
    raise DoorShut(f"{url} did not take a batch in {TRIES} tries")
