from accounts.models.api_keys import ApiKey
from accounts.models.audit_rows import AuditRow
from accounts.models.callers import Caller
from accounts.models.events import EventType, OutboxEvent
from accounts.models.idempotency import IdempotencyRecord
from accounts.models.organizations import ORGANIZATION_MOVES, Membership, Organization
from accounts.models.roles import Kind, Role, Scope
from accounts.models.users import User
from accounts.models.webhooks import (
    DeliveryState,
    EndpointState,
    Outcome,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)

__all__ = [
    "ORGANIZATION_MOVES",
    "ApiKey",
    "AuditRow",
    "Caller",
    "DeliveryState",
    "EndpointState",
    "EventType",
    "IdempotencyRecord",
    "Kind",
    "Membership",
    "Organization",
    "OutboxEvent",
    "Outcome",
    "Role",
    "Scope",
    "User",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
