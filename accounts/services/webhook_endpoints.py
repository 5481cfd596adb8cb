"""An organization says where it wants to be told; owners decide."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.db import transaction
from django.utils import timezone

from accounts.models import (
    Caller,
    EventType,
    Organization,
    OutboxEvent,
    Scope,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.models.webhooks import (
    ENDPOINT_MOVES,
    URL_LENGTH_MAX,
    DeliveryState,
    EndpointState,
)
from accounts.services import audit_rows
from accounts.services.sealing import seal
from accounts.services.webhook_sending import is_named_loopback
from accounts.services.webhook_signing import new_secret
from exchange.foundation.market_time import market_now
from exchange.foundation.states import move

ENDPOINTS_MAX = 10
OVERLAP = timedelta(hours=24)


class EndpointRefused(Exception):
    """An endpoint has an https address without credentials, and known types of events."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.errors = [{"pointer": pointer, "code": code, "detail": detail}]


class TooManyEndpoints(Exception):
    """An organization has at most ENDPOINTS_MAX endpoints; remove one first."""


class EndpointNotEnabled(Exception):
    """A disabled endpoint is told of nothing; enable it first."""


class NotForWebhooks(Exception):
    """Only an owner, or a key with the scope webhooks:write, changes endpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTerms:
    """Where to send, and of what; no types mean all."""

    url: str
    description: str = ""
    event_types: Collection[str] = ()


def add_endpoint(terms: EndpointTerms, *, actor: Caller) -> tuple[WebhookEndpoint, str]:
    """Add an endpoint; return it with its secret, which is not shown again.

    Raises NotForWebhooks, EndpointRefused, TooManyEndpoints.
    """
    _refuse_unless_allowed(actor)
    checked = _checked(terms)
    secret = new_secret()
    with transaction.atomic():
        Organization.objects.select_for_update(no_key=True).get(pk=actor.organization_id)
        own = WebhookEndpoint.objects.present().filter(organization_id=actor.organization_id)
        if own.count() >= ENDPOINTS_MAX:
            raise TooManyEndpoints(f"at most {ENDPOINTS_MAX} endpoints; remove one first")
        endpoint = WebhookEndpoint.objects.create(
            organization_id=actor.organization_id, sealed_secret=seal(secret.encode()), **checked
        )
        audit_rows.record(actor, "add", endpoint, terms.url[:200])
    return endpoint, secret


def edit_endpoint(endpoint: WebhookEndpoint, terms: EndpointTerms, *, actor: Caller) -> None:
    """Change where and of what an endpoint is told. Raises NotForWebhooks, EndpointRefused."""
    _refuse_unless_allowed(actor, endpoint)
    checked = _checked(terms)
    with transaction.atomic():
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**checked)
        audit_rows.record(actor, "edit", endpoint, terms.url[:200])
    endpoint.refresh_from_db()


def rotate_secret(endpoint: WebhookEndpoint, *, actor: Caller) -> str:
    """Give an endpoint another secret and return it; the old one signs beside it for a day."""
    _refuse_unless_allowed(actor, endpoint)
    secret = new_secret()
    with transaction.atomic():
        row = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
        row.sealed_old_secret, row.sealed_secret = row.sealed_secret, seal(secret.encode())
        row.old_secret_until = timezone.now() + OVERLAP
        row.save(update_fields=["sealed_old_secret", "sealed_secret", "old_secret_until"])
        audit_rows.record(actor, "rotate", endpoint)
    endpoint.refresh_from_db()
    return secret


def enable_endpoint(endpoint: WebhookEndpoint, *, actor: Caller) -> None:
    """Tell an endpoint again; what waited for it is sent. Raises IllegalMove, LostRace."""
    fresh: dict[str, Any] = {"failures": 0, "failing_since": None, "paused_until": None}
    _move(endpoint, EndpointState.ENABLED, actor=actor, reason="", **fresh)


def disable_endpoint(endpoint: WebhookEndpoint, *, actor: Caller) -> None:
    """Tell an endpoint nothing until it is enabled again. Raises IllegalMove, LostRace."""
    _move(endpoint, EndpointState.DISABLED, actor=actor, reason="disabled by a member")


def remove_endpoint(endpoint: WebhookEndpoint, *, actor: Caller) -> None:
    """End an endpoint for good; its log stays. Raises IllegalMove, LostRace."""
    _move(endpoint, EndpointState.REMOVED, actor=actor, reason="removed")


def send_test(endpoint: WebhookEndpoint, *, actor: Caller) -> WebhookDelivery:
    """Send an event ``webhook.test`` to this endpoint alone. Raises EndpointNotEnabled."""
    _refuse_unless_allowed(actor, endpoint)
    _refuse_unless_enabled(endpoint)
    with transaction.atomic():
        event = OutboxEvent.objects.create(
            type=EventType.WEBHOOK_TEST,
            organization_id=endpoint.organization_id,
            about=endpoint.public_id,
            data={"endpoint": endpoint.public_id},
            happened_at=market_now(),
            spread_at=timezone.now(),
        )
        return WebhookDelivery.objects.create(endpoint=endpoint, event=event)


def replay_delivery(delivery: WebhookDelivery, *, actor: Caller) -> None:
    """Send an event again, under the id that it had; the schedule of retries begins anew.

    Raises EndpointNotEnabled.
    """
    _refuse_unless_allowed(actor, delivery.endpoint)
    _refuse_unless_enabled(delivery.endpoint)
    with transaction.atomic():
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            state=DeliveryState.PENDING, step=0, next_attempt_at=timezone.now(), finished_at=None
        )
        audit_rows.record(actor, "replay", delivery)
    delivery.refresh_from_db()


def _move(
    endpoint: WebhookEndpoint, to: EndpointState, *, actor: Caller, reason: str, **changes: Any
) -> None:
    _refuse_unless_allowed(actor, endpoint)
    with transaction.atomic():
        move(endpoint, to=to, moves=ENDPOINT_MOVES, reason=reason, **changes)
        audit_rows.record(actor, f"make {to}", endpoint)


def _refuse_unless_allowed(actor: Caller, endpoint: WebhookEndpoint | None = None) -> None:
    is_own = endpoint is None or endpoint.organization_id == actor.organization_id
    if not is_own or not actor.has_scope(Scope.WEBHOOKS_WRITE):
        raise NotForWebhooks("not an endpoint that you may change")


def _refuse_unless_enabled(endpoint: WebhookEndpoint) -> None:
    if endpoint.state != EndpointState.ENABLED:
        raise EndpointNotEnabled(f"the endpoint is {endpoint.state}")


def _checked(terms: EndpointTerms) -> dict[str, Any]:
    url = terms.url.strip()
    _refuse_url(url)
    unknown = sorted(set(terms.event_types) - set(EventType.values))
    if unknown:
        raise EndpointRefused(
            "/event_types", "unknown_event_type", f"no such type: {', '.join(unknown):.200}"
        )
    return {
        "url": url,
        "description": terms.description.strip()[:100],
        "event_types": sorted(set(terms.event_types)),
    }


def _refuse_url(url: str) -> None:
    """Refuse what can be seen in the address itself; where it leads is checked at each request."""
    parts = _parts(url)
    if parts is None or len(url) > URL_LENGTH_MAX or not url.isprintable() or " " in url:
        raise EndpointRefused("/url", "url_malformed", "not the address of a receiver")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise EndpointRefused("/url", "url_malformed", "no credentials and no fragment, please")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_named_loopback(url)):
        raise EndpointRefused("/url", "url_not_https", "an address that begins with https://")


def _parts(url: str) -> SplitResult | None:
    """Return the parts of an address that names a host and, if any, a real port; else None."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if is_whole else None
