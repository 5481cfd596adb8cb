"""Events reach their receivers; what goes wrong with one is nobody else's trouble."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook, WebhookVerificationError

from accounts.models import (
    DeliveryState,
    EventType,
    OutboxEvent,
    Outcome,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.services.spreading import spread_events
from accounts.services.webhook_courier import SCHEDULE, claim_endpoints, deliver_due, visit
from accounts.services.webhook_endpoints import (
    disable_endpoint,
    enable_endpoint,
    replay_delivery,
    rotate_secret,
    send_test,
)
from tests.accounts import receivers
from tests.accounts.endpoints import a_delivery, an_endpoint, an_owner, happen
from tests.accounts.receivers import Asked, Receiver, answering, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def good() -> Iterator[Receiver]:
    with receiver(answering(200, "thanks")) as there:
        yield there


def due_again(delivery: WebhookDelivery) -> None:
    """Let the wait before the next attempt be over."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_attempt_at=timezone.now())
    WebhookEndpoint.objects.update(paused_until=None)


def test_the_public_library_accepts_what_is_sent(good: Receiver) -> None:
    endpoint, secret = an_endpoint(good.url)
    delivery = a_delivery(endpoint)

    visit(endpoint.pk)

    (request,) = good.got
    told = Webhook(secret).verify(request.body, request.headers)
    assert told["type"] == "deposit.posted"
    assert told["data"] == {"amount": "12.500000", "note": "中文"}
    assert datetime.fromisoformat(told["timestamp"]).utcoffset() == timedelta(0)
    assert request.headers["webhook-id"] == delivery.event.public_id
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)


def test_our_signature_is_the_library_s_own(good: Receiver) -> None:
    endpoint, secret = an_endpoint(good.url)
    a_delivery(endpoint)
    visit(endpoint.pk)
    headers = good.got[0].headers
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)

    theirs = Webhook(secret).sign(headers["webhook-id"], at, good.got[0].body.decode())

    assert headers["webhook-signature"] == theirs


@pytest.mark.parametrize("part", ["body", "webhook-id", "webhook-timestamp", "secret"])
def test_the_library_refuses_what_was_changed_on_the_way(good: Receiver, part: str) -> None:
    endpoint, secret = an_endpoint(good.url)
    a_delivery(endpoint)
    visit(endpoint.pk)
    body, headers = good.got[0].body, dict(good.got[0].headers)
    if part == "body":
        body = body.replace(b"12.5", b"99.5")
    elif part == "secret":
        secret = an_endpoint()[1]
    elif part == "webhook-id":
        headers[part] = "evt_other"
    else:
        headers[part] = str(int(headers[part]) + 1)

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_while_secrets_overlap_either_verifies(good: Receiver) -> None:
    owner = an_owner()
    endpoint, old = an_endpoint(good.url, owner=owner)
    new = rotate_secret(endpoint, actor=owner)
    a_delivery(endpoint)
    visit(endpoint.pk)

    for secret in (old, new):
        assert Webhook(secret).verify(good.got[0].body, good.got[0].headers)


def test_after_the_overlap_the_old_secret_verifies_nothing(good: Receiver) -> None:
    owner = an_owner()
    endpoint, old = an_endpoint(good.url, owner=owner)
    new = rotate_secret(endpoint, actor=owner)
    WebhookEndpoint.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
    a_delivery(endpoint)
    visit(endpoint.pk)
    body, headers = good.got[0].body, good.got[0].headers

    assert Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)


def test_an_endpoint_is_told_of_what_it_listens_for() -> None:
    owner = an_owner()
    some, _ = an_endpoint(owner=owner, types=["deposit.posted", "dispute.moved"])
    every, _ = an_endpoint(owner=owner)
    others, _ = an_endpoint(owner=owner, types=["dispute.moved"])
    strangers, _ = an_endpoint()
    happen(owner.organization_id)

    spread_events()

    told = set(WebhookDelivery.objects.values_list("endpoint", flat=True))
    assert told == {some.pk, every.pk}
    assert not others.deliveries.exists()
    assert not strangers.deliveries.exists()


def test_what_everybody_may_know_reaches_every_organization() -> None:
    endpoints = {an_endpoint()[0].pk for _ in range(2)}
    happen(None, kind=EventType.AUCTION_PUBLISHED)

    spread_events()

    assert set(WebhookDelivery.objects.values_list("endpoint", flat=True)) == endpoints


def test_spreading_twice_tells_nothing_twice() -> None:
    endpoint, _ = an_endpoint()
    happen(endpoint.organization_id)
    assert spread_events() == 1
    OutboxEvent.objects.update(spread_at=None)  # as if a worker had not got to write it down

    assert spread_events() == 1
    assert spread_events() == 0

    assert WebhookDelivery.objects.count() == 1


def test_an_effect_that_is_taken_back_tells_nothing() -> None:
    endpoint, _ = an_endpoint()
    with transaction.atomic():
        happen(endpoint.organization_id)
        transaction.set_rollback(True)

    assert spread_events() == 0


def test_a_failure_is_tried_again_by_the_schedule() -> None:
    with receiver(answering(500, "sorry")) as there:
        endpoint, _ = an_endpoint(there.url)
        delivery = a_delivery(endpoint)
        waits = []
        for _ in SCHEDULE:
            began = timezone.now()
            visit(endpoint.pk)
            delivery.refresh_from_db()
            waits.append(delivery.next_attempt_at - began)
            due_again(delivery)

    assert delivery.state == DeliveryState.FAILED
    assert len(there.got) == len(SCHEDULE) == 10
    for planned, waited in zip(SCHEDULE[1:], waits, strict=False):
        assert planned <= waited <= planned * 1.1 + timedelta(seconds=2)
    assert len({request.headers["webhook-id"] for request in there.got}) == 1
    tries = WebhookAttempt.objects.filter(delivery=delivery)
    assert [(each.outcome, each.status, each.answer) for each in tries] == [
        (Outcome.ERROR_STATUS, 500, "sorry")
    ] * 10


def test_nothing_is_sent_while_its_wait_lasts() -> None:
    with receiver(answering(500)) as there:
        endpoint, _ = an_endpoint(there.url)
        a_delivery(endpoint)
        for _ in range(3):
            visit(endpoint.pk)

    assert len(there.got) == 1


def test_an_endpoint_that_recovered_is_not_rested() -> None:
    answers = iter([500, 200])

    def behave(asked: Asked) -> None:
        answering(next(answers))(asked)

    with receiver(behave) as there:
        endpoint, _ = an_endpoint(there.url)
        delivery = a_delivery(endpoint)
        visit(endpoint.pk)
        endpoint.refresh_from_db()
        assert endpoint.failures == 1
        assert endpoint.paused_until is not None
        due_again(delivery)
        visit(endpoint.pk)

    found = WebhookEndpoint.objects.get(pk=endpoint.pk)
    assert (found.failures, found.failing_since, found.paused_until) == (0, None, None)


def test_gone_disables_the_endpoint_at_once() -> None:
    with receiver(answering(410)) as there:
        endpoint, _ = an_endpoint(there.url)
        for _ in range(2):
            a_delivery(endpoint)
        visit(endpoint.pk)

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.reason) == ("disabled", "the receiver answered 410 Gone")
    assert len(there.got) == 1
    assert claim_endpoints(10) == []


def test_days_of_nothing_but_failures_disable_the_endpoint() -> None:
    with receiver(answering(500)) as there:
        endpoint, _ = an_endpoint(there.url)
        delivery = a_delivery(endpoint)
        visit(endpoint.pk)
        WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(days=5))
        due_again(delivery)
        visit(endpoint.pk)

    endpoint.refresh_from_db()
    assert endpoint.state == "disabled"


def test_what_waited_for_a_disabled_endpoint_is_sent_when_it_is_enabled(good: Receiver) -> None:
    owner = an_owner()
    endpoint, _ = an_endpoint(good.url, owner=owner)
    a_delivery(endpoint)
    disable_endpoint(endpoint, actor=owner)
    assert claim_endpoints(10) == []
    visit(endpoint.pk)
    assert good.got == []

    enable_endpoint(endpoint, actor=owner)
    assert claim_endpoints(10) == [endpoint.pk]
    visit(endpoint.pk)

    assert len(good.got) == 1


def test_a_test_event_goes_to_its_endpoint_alone(good: Receiver) -> None:
    owner = an_owner()
    endpoint, secret = an_endpoint(good.url, owner=owner, types=["dispute.moved"])
    an_endpoint(owner=owner)

    send_test(endpoint, actor=owner)
    spread_events()
    visit(endpoint.pk)

    told = Webhook(secret).verify(good.got[0].body, good.got[0].headers)
    assert told["type"] == "webhook.test"
    assert told["data"] == {"endpoint": endpoint.public_id}
    assert WebhookDelivery.objects.count() == 1


def test_a_replay_repeats_the_event_under_its_own_id(good: Receiver) -> None:
    owner = an_owner()
    endpoint, _ = an_endpoint(good.url, owner=owner)
    delivery = a_delivery(endpoint)
    visit(endpoint.pk)

    replay_delivery(delivery, actor=owner)
    visit(endpoint.pk)

    first, second = good.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 2)
    assert list(delivery.tries.values_list("number", flat=True)) == [1, 2]


def test_an_endpoint_is_visited_by_one_worker_at_a_time() -> None:
    endpoint, _ = an_endpoint()
    a_delivery(endpoint)

    assert claim_endpoints(10) == [endpoint.pk]
    assert claim_endpoints(10) == []


def test_the_lease_of_a_killed_worker_runs_out() -> None:
    endpoint, _ = an_endpoint()
    a_delivery(endpoint)
    claim_endpoints(10)  # and then the worker is killed
    WebhookEndpoint.objects.update(busy_until=timezone.now() - timedelta(seconds=1))

    assert claim_endpoints(10) == [endpoint.pk]


def test_an_organization_takes_two_workers_at_most() -> None:
    owner, other = an_owner(), an_owner()
    for _ in range(4):
        an_endpoint(owner=owner)
    theirs, _ = an_endpoint(owner=other)
    happen(owner.organization_id)
    happen(other.organization_id)
    spread_events()

    claimed = claim_endpoints(10)

    assert len(claimed) == 3
    assert theirs.pk in claimed
    assert claim_endpoints(10) == []


def test_what_an_attempt_showed_cannot_be_changed(good: Receiver) -> None:
    endpoint, _ = an_endpoint(good.url)
    a_delivery(endpoint)
    visit(endpoint.pk)

    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        WebhookAttempt.objects.update(status=500)


def test_signatures_carry_the_moment_of_each_attempt() -> None:
    with receiver(answering(500)) as there:
        endpoint, _ = an_endpoint(there.url)
        delivery = a_delivery(endpoint)
        for hour in (3, 5):
            with time_machine.travel(datetime(2040, 1, 1, hour, tzinfo=UTC), tick=False):
                due_again(delivery)
                visit(endpoint.pk)

    sent = [int(request.headers["webhook-timestamp"]) for request in there.got]
    assert sent[1] - sent[0] == 2 * 3_600


@pytest.mark.django_db(transaction=True)
def test_bad_receivers_harm_nobody_else(settings: Settings) -> None:
    settings.WEBHOOK_SECONDS_MAX = 1.5
    bad = [
        receivers.silent(4),
        receivers.dripping,
        receivers.flooding,
        receivers.hanging_up,
        receivers.nonsense,
        answering(302, Location="http://127.0.0.1:1/"),
    ]
    began: list[float] = []

    def behave(asked: Asked) -> None:
        began.append(time.monotonic())
        answering(200)(asked)

    with ExitStack() as running:
        for each in bad:
            an_endpoint(running.enter_context(receiver(each)).url)
        good = running.enter_context(receiver(behave))
        dead, _ = an_endpoint("https://no-such-name.invalid/hook")
        endpoint, _ = an_endpoint(good.url)
        for _ in range(5):
            happen(None, kind=EventType.AUCTION_PUBLISHED)
        start = time.monotonic()

        deliver_due(seconds=1.0)

    delivered = WebhookDelivery.objects.filter(endpoint=endpoint, state=DeliveryState.DELIVERED)
    assert delivered.count() == 5
    assert max(began) - start < 1.2
    assert not dead.deliveries.filter(state=DeliveryState.DELIVERED).exists()
