"""Endpoints of webhooks that do not hear."""

from collections.abc import Sequence

from django.db.models import Count, Q

from accounts.models import DeliveryState, EndpointState, WebhookEndpoint
from accounts.models.callers import Caller

FAILING_MAX = 200


def failing_endpoints(caller: Caller) -> Sequence[WebhookEndpoint]:
    """Return endpoints that fail now or were disabled for it, each with ``waiting`` deliveries.

    Those that fail longest come first, at most two hundred.
    """
    present = WebhookEndpoint.objects.visible_to(caller).present()
    failing = present.filter(
        Q(failing_since__isnull=False) | Q(state=EndpointState.DISABLED, failures__gt=0)
    )
    waiting = Count("deliveries", filter=Q(deliveries__state=DeliveryState.PENDING))
    counted = failing.select_related("organization").annotate(waiting=waiting)
    return list(counted.order_by("failing_since", "pk")[:FAILING_MAX])
