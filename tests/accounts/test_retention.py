"""Old events go with all that told of them, once everybody was told; forms do their deed once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import EventType, Notice, OutboxEvent, WebhookDelivery
from accounts.services.events import NewEvent, write_events
from accounts.services.notices import write_notice_letters
from accounts.services.retention import forget_events
from accounts.services.spreading import spread_events
from accounts.services.webhook_endpoints import send_test
from tests.accounts.endpoints import an_endpoint
from tests.factories import MembershipFactory, member

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)


def happen() -> None:
    own = MembershipFactory.create().organization
    write_events(
        [
            NewEvent(
                type=EventType.DEPOSIT_POSTED,
                organization_id=own.pk,
                about="x",
                happened_at=timezone.now(),
                data={"amount": "1", "currency": "CNY"},
            )
        ]
    )


def test_events_go_with_their_notices_once_they_are_old_and_told() -> None:
    happen()
    assert forget_events(now=timezone.now() + YEAR) == 0  # nobody was told yet
    spread_events()
    assert forget_events(now=timezone.now() + YEAR) == 0  # a letter is still to be written
    write_notice_letters()
    assert forget_events(now=timezone.now()) == 0  # it is young
    assert forget_events(now=timezone.now() + YEAR) == 1
    assert not Notice.objects.exists()
    assert not OutboxEvent.objects.exists()


def test_an_event_that_a_receiver_still_waits_for_stays() -> None:
    endpoint, _ = an_endpoint(owner=member())
    delivery = send_test(endpoint, actor=member(endpoint.organization))
    spread_events()
    OutboxEvent.objects.update(spread_at=timezone.now())
    assert forget_events(now=timezone.now() + YEAR) == 0
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state="failed", finished_at=timezone.now()
    )
    assert forget_events(now=timezone.now() + YEAR) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not WebhookDelivery.objects.exists()
