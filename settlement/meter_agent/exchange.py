"""The exchange as the agent sees it: which devices it watches, and a door that takes readings."""

import json
import logging
import random
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from settlement.meter_agent.config import BadConfig, Config
from settlement.meter_agent.counting import Assignment, Device
from settlement.meter_agent.events import millis
from settlement.meter_agent.spool import Spool, Spooled

logger = logging.getLogger(__name__)

BATCH = 500
SECONDS_MAX = 30.0
WAIT_MAX = 300.0
BATCH_TYPE = "application/cloudevents-batch+json"
LATER = {"period_in_future"}
"""Rejections that pass by themselves: the exchange's clock is a little behind."""
PAYLOAD_TOO_LARGE = 413
BAD_REQUEST = 400


class ExchangeSilent(Exception):
    """The exchange did not answer as it should; ``status`` is 0 if it did not answer at all."""

    def __init__(self, status: int, text: str, wait_seconds: float = 0) -> None:
        super().__init__(f"{status}: {text}" if status else text)
        self.status, self.wait_seconds = status, wait_seconds


@dataclass(frozen=True, slots=True)
class Watch:
    """What this meter is to watch."""

    meter: str
    devices: tuple[Device, ...]


class Exchange:
    """The exchange, asked with a meter's own key, which is read anew each time."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def watch(self) -> dict[str, Any]:
        """Return what this meter is to watch, as the exchange says it. Raises ExchangeSilent."""
        found: dict[str, Any] = self._ask("/api/v1/meter", None)
        return found

    def report(self, events: list[str]) -> list[dict[str, Any]]:
        """Return the exchange's answer to each event, in order. Raises ExchangeSilent."""
        body = ("[" + ",".join(events) + "]").encode()
        answers: list[dict[str, Any]] = self._ask("/api/v1/readings", body)["answers"]
        if len(answers) != len(events):
            raise ExchangeSilent(0, f"{len(answers)} answers to {len(events)} events")
        return answers

    def _ask(self, path: str, body: bytes | None) -> Any:
        try:
            token = self.config.token
        except BadConfig as bad:
            raise ExchangeSilent(0, str(bad)) from bad
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = BATCH_TYPE
        request = urllib.request.Request(f"{self.config.url}{path}", body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read(500).decode(errors="replace")
            raise ExchangeSilent(error.code, text, _retry_after(error)) from error
        except (OSError, ValueError) as error:
            raise ExchangeSilent(0, str(error)) from error


def watch_of(told: dict[str, Any]) -> Watch:
    """Return what the exchange said to watch."""
    return Watch(
        told["meter"],
        tuple(
            Device(
                each["id"],
                each["serial"],
                each["capacity_lots"],
                tuple(
                    Assignment(one["contract"], millis(one["starts_at"]), millis(one["ends_at"]))
                    for one in each["assignments"]
                ),
            )
            for each in told["devices"]
        ),
    )


class Courier:
    """Carries readings from the spool to the exchange, as many at once as it takes."""

    def __init__(self, exchange: Exchange, spool: Spool) -> None:
        self.exchange, self.spool = exchange, spool
        self.batch, self.failures = BATCH, 0

    def carry(self) -> float:
        """Send the oldest readings; return how many seconds to wait before the next time.

        0 means that there is more. After a failure the wait doubles each time, up to five minutes,
        by a random share, so that a site's meters do not come back all at once.
        """
        waiting = self.spool.oldest(self.batch)
        if not waiting:
            return 1.0
        try:
            answers = self.exchange.report([each.event for each in waiting])
        except ExchangeSilent as silent:
            return self._after(silent, waiting)
        self.failures, self.batch = 0, min(BATCH, self.batch * 2)
        return self._settle(waiting, answers)

    def _settle(self, waiting: list[Spooled], answers: list[dict[str, Any]]) -> float:
        taken, refused, later = [], [], 0
        for each, answer in zip(waiting, answers, strict=True):
            if answer["status"] in {"accepted", "duplicate"}:
                taken.append(each.id)
            elif answer.get("code") in LATER:
                later += 1
            else:
                refused.append((each.id, json.dumps(answer)))
                logger.error("the exchange refused a reading: %s", answer)
        self.spool.settle(taken, refused)
        return 5.0 if later == len(waiting) else 0.0

    def _after(self, silent: ExchangeSilent, waiting: list[Spooled]) -> float:
        self.failures += 1
        if silent.status in {PAYLOAD_TOO_LARGE, BAD_REQUEST}:
            if len(waiting) == 1:  # this one will never pass; the others shall
                self.spool.settle([], [(waiting[0].id, str(silent))])
                logger.error("the exchange refused a reading: %s", silent)
            self.batch = max(1, len(waiting) // 2)
            return 1.0
        wait = min(WAIT_MAX, 2.0**self.failures) * random.uniform(0.5, 1.0)  # noqa: S311
        wait = max(wait, min(silent.wait_seconds, WAIT_MAX))
        logger.warning("readings wait for %.0f s: %s", wait, silent)
        return wait


def _retry_after(error: urllib.error.HTTPError) -> float:
    text = error.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0
