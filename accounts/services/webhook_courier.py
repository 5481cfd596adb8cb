"""The courier: delivers what is due, so that no receiver can make another one wait.

One worker at a time visits an endpoint (its lease is a guarded UPDATE) and at most two visit the
endpoints of one organization; a visit ends at the first failure and after a few seconds, and a
failing endpoint rests longer each time. A worker that is killed leaves a lease that runs out; the
next one sends again, under the same id, what had not been written down as delivered.
"""

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from random import uniform

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import OutboxEvent, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from accounts.models.webhooks import ENDPOINT_MOVES, DeliveryState, EndpointState, Outcome
from accounts.services.sealing import unseal
from accounts.services.spreading import spread_events
from accounts.services.webhook_sending import Answer, post
from accounts.services.webhook_signing import signed_headers
from exchange.foundation.states import LostRace, move

logger = logging.getLogger(__name__)

# The schedule that the Standard Webhooks specification recommends: the wait before each attempt.
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
THREADS = 16
THREADS_OF_ORGANIZATION = 2
VISIT_SECONDS = 15.0
LEASE_SECONDS = 90  # longer than a visit and one last request together
PAUSE_SECONDS_MAX = 300.0
DISABLED_AFTER = timedelta(days=5)  # of nothing but failures
LOOK_SECONDS = 0.25

CLAIM = """
UPDATE accounts_webhookendpoint AS endpoint
SET busy_until = clock_timestamp() + %(lease)s * interval '1 second'
FROM (
    SELECT waiting.id FROM (
        SELECT candidate.id, first_due.next_attempt_at, row_number() OVER (
            PARTITION BY candidate.organization_id ORDER BY first_due.next_attempt_at) AS place,
            (SELECT count(*) FROM accounts_webhookendpoint AS other
             WHERE other.organization_id = candidate.organization_id
               AND other.busy_until > clock_timestamp()) AS busy
        FROM accounts_webhookendpoint AS candidate
        CROSS JOIN LATERAL (
            SELECT next_attempt_at FROM accounts_webhookdelivery AS delivery
            WHERE delivery.endpoint_id = candidate.id AND delivery.state = 'pending'
              AND delivery.next_attempt_at <= clock_timestamp()
            ORDER BY delivery.next_attempt_at LIMIT 1) AS first_due
        WHERE candidate.state = 'enabled'
          AND (candidate.busy_until IS NULL OR candidate.busy_until <= clock_timestamp())
          AND (candidate.paused_until IS NULL OR candidate.paused_until <= clock_timestamp())
    ) AS waiting
    WHERE waiting.place + waiting.busy <= %(most)s
    ORDER BY waiting.next_attempt_at LIMIT %(free)s
) AS chosen
WHERE endpoint.id = chosen.id
  AND (endpoint.busy_until IS NULL OR endpoint.busy_until <= clock_timestamp())
RETURNING endpoint.id
"""


def deliver_due(*, seconds: float) -> int:
    """Deliver until nothing is due, or for about this long; return how many visits there were."""
    give_up = time.monotonic() + seconds
    running: set[Future[None]] = set()
    visits = 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="courier") as pool:
        while True:
            spread_events()
            free = THREADS - len(running) if time.monotonic() < give_up else 0
            claimed = claim_endpoints(free) if free else []
            running |= {pool.submit(_on_own_connection, visit, each) for each in claimed}
            visits += len(claimed)
            if not running:
                return visits
            done, running = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                if wrong := future.exception():
                    logger.error("a visit failed", exc_info=wrong)


def claim_endpoints(free: int) -> list[int]:
    """Lease up to ``free`` endpoints that something waits for, and return their ids."""
    stated = {"lease": LEASE_SECONDS, "most": THREADS_OF_ORGANIZATION, "free": free}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, stated)
        return [endpoint_id for (endpoint_id,) in cursor.fetchall()]


def visit(endpoint_id: int) -> None:
    """Deliver what is due to a leased endpoint, one after another, then give the lease back."""
    give_up = time.monotonic() + VISIT_SECONDS
    try:
        while time.monotonic() < give_up and _deliver_next(endpoint_id):
            pass
    finally:
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(busy_until=None)


def body_of(event: OutboxEvent) -> bytes:
    """Return the bytes that every delivery and repeat of an event sends."""
    at = event.happened_at.isoformat().replace("+00:00", "Z")
    told = {"type": event.type, "timestamp": at, "data": event.data}
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


def _on_own_connection(work: Callable[[int], None], endpoint_id: int) -> None:
    try:
        work(endpoint_id)
    finally:
        connection.close()  # Each thread has a connection of its own, and threads end.


def _deliver_next(endpoint_id: int) -> bool:
    """Deliver the longest due event; return whether to go on with the next."""
    due = WebhookDelivery.objects.filter(
        endpoint_id=endpoint_id,
        state=DeliveryState.PENDING,
        next_attempt_at__lte=timezone.now(),
        endpoint__state=EndpointState.ENABLED,
    )
    delivery = due.select_related("endpoint", "event").order_by("next_attempt_at", "pk").first()
    if delivery is None:
        return False
    answer = _send(delivery)
    with transaction.atomic():
        _write_attempt(delivery, answer)
        if answer.outcome is Outcome.DELIVERED:
            _recover(delivery.endpoint)
        else:
            _rest(delivery.endpoint, answer)
    return answer.outcome is Outcome.DELIVERED


def _send(delivery: WebhookDelivery) -> Answer:
    endpoint, event = delivery.endpoint, delivery.event
    body, now = body_of(event), timezone.now()
    headers = signed_headers(
        secrets_in_force(endpoint, now),
        message_id=event.public_id,
        timestamp=int(now.timestamp()),
        body=body,
    )
    return post(endpoint.url, body=body, headers=headers)


def secrets_in_force(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """Return the secrets that sign now: the newest, and the one before it while they overlap."""
    sealed = [endpoint.sealed_secret]
    until = endpoint.old_secret_until
    if endpoint.sealed_old_secret is not None and until is not None and now < until:
        sealed.append(endpoint.sealed_old_secret)
    return [unseal(each).decode() for each in sealed]


def _write_attempt(delivery: WebhookDelivery, answer: Answer) -> None:
    """Write down what came of an attempt; guarded: only who read it as it stands moves it on."""
    changes: dict[str, object] = {"attempts": F("attempts") + 1}
    step = delivery.step + 1
    if answer.outcome is Outcome.DELIVERED:
        changes |= {"state": DeliveryState.DELIVERED, "finished_at": timezone.now()}
    elif step >= len(SCHEDULE):
        changes |= {"state": DeliveryState.FAILED, "finished_at": timezone.now()}
    else:
        wait_for = SCHEDULE[step] * uniform(1.0, 1.1)  # noqa: S311 - spread, not secret
        changes |= {"step": step, "next_attempt_at": timezone.now() + wait_for}
    as_read = WebhookDelivery.objects.filter(
        pk=delivery.pk, attempts=delivery.attempts, state=DeliveryState.PENDING
    )
    as_read.update(**changes)
    WebhookAttempt.objects.create(
        delivery=delivery,
        number=delivery.attempts + 1,
        milliseconds=answer.milliseconds,
        outcome=answer.outcome,
        status=answer.status,
        answer=answer.text,
    )


def _recover(endpoint: WebhookEndpoint) -> None:
    if endpoint.failures:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
            failures=0, failing_since=None, paused_until=None
        )


def _rest(endpoint: WebhookEndpoint, answer: Answer) -> None:
    """Let a failing endpoint rest; one that wants no more, or failed for days, is disabled."""
    now = timezone.now()
    since = endpoint.failing_since or now
    pause = min(PAUSE_SECONDS_MAX, 2.0 ** min(endpoint.failures, 20))
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        failures=F("failures") + 1,
        failing_since=since,
        paused_until=now + timedelta(seconds=pause),
    )
    if answer.outcome is Outcome.GONE:
        _disable(endpoint, "the receiver answered 410 Gone")
    elif now - since >= DISABLED_AFTER:
        _disable(endpoint, f"nothing but failures for {DISABLED_AFTER.days} days")


def _disable(endpoint: WebhookEndpoint, reason: str) -> None:
    try:
        move(endpoint, to=EndpointState.DISABLED, moves=ENDPOINT_MOVES, reason=reason)
    except LostRace:
        return  # A member was faster, and decided.
    logger.warning("webhook endpoint %s is disabled: %s", endpoint.public_id, reason)


assert SCHEDULE[0] == timedelta(0), "the first attempt is made at once"
