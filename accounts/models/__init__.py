from accounts.models.api_keys import ApiKey
from accounts.models.arriving import (
    APPLICATION_MOVES,
    Application,
    ApplicationState,
    Invitation,
    Letter,
)
from accounts.models.audit_rows import AuditRow
from accounts.models.callers import Caller
from accounts.models.events import EventType, OutboxEvent
from accounts.models.idempotency import FormPost, IdempotencyRecord
from accounts.models.notices import Notice, NoticeChoice
from accounts.models.organizations import ORGANIZATION_MOVES, Membership, Organization
from accounts.models.relations import OrganizationRelation, RelationKind
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
    "APPLICATION_MOVES",
    "ORGANIZATION_MOVES",
    "ApiKey",
    "Application",
    "ApplicationState",
    "AuditRow",
    "Caller",
    "DeliveryState",
    "EndpointState",
    "EventType",
    "FormPost",
    "IdempotencyRecord",
    "Invitation",
    "Kind",
    "Letter",
    "Membership",
    "Notice",
    "NoticeChoice",
    "Organization",
    "OrganizationRelation",
    "OutboxEvent",
    "Outcome",
    "RelationKind",
    "Role",
    "Scope",
    "User",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
