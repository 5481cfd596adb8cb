"""Endpoints and events for tests."""

from collections.abc import Collection
from typing import Any

from django.db import transaction

from accounts.models import Caller, EventType, Organization, WebhookDelivery, WebhookEndpoint
from accounts.services.events import NewEvent, write_events
from accounts.services.spreading import spread_events
from accounts.services.webhook_endpoints import EndpointTerms, add_endpoint
from exchange.foundation.market_time import market_now
from tests.factories import OrganizationFactory, member

PUBLIC = "https://receiver.example/hook"


def an_owner(organization: Organization | None = None) -> Caller:
    """Return an owner of this (or a fresh) organization."""
    return member(organization or OrganizationFactory.create())


def an_endpoint(
    url: str = PUBLIC, *, owner: Caller | None = None, types: Collection[str] = ()
) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint; return it with its secret."""
    terms = EndpointTerms(url=url, event_types=types)
    return add_endpoint(terms, actor=owner or an_owner())


def happen(
    organization_id: int | None, *, kind: EventType = EventType.DEPOSIT_POSTED, **more: str
) -> None:
    """Let something happen to an organization, or to all."""
    with transaction.atomic():
        write_events(
            [
                NewEvent(
                    type=kind,
                    organization_id=organization_id,
                    about="thing_1",
                    happened_at=market_now(),
                    data={"amount": "12.500000", "note": "中文", **more},
                )
            ]
        )


def a_delivery(endpoint: WebhookEndpoint, **changes: Any) -> WebhookDelivery:
    """Let something happen to an endpoint's organization; return its delivery to the endpoint."""
    happen(endpoint.organization_id, **changes)
    spread_events()
    return WebhookDelivery.objects.filter(endpoint=endpoint).latest("pk")
