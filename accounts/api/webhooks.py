"""Webhook endpoints and their logs, cut to the caller's own."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import GenericAPIView, ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.webhook_serializers import (
    DeliveryDetailSerializer,
    DeliverySerializer,
    EndpointEditSerializer,
    EndpointRequestSerializer,
    EndpointSerializer,
    EndpointWithSecretSerializer,
)
from accounts.models import (
    DeliveryState,
    EndpointState,
    EventType,
    Scope,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.services import webhook_endpoints
from accounts.services.webhook_endpoints import EndpointTerms
from accounts.web.caller import caller_of
from accounts.web.idempotency import SecretResponse, idempotent

TAGS = ["webhooks"]
READ_WRITE = {"GET": Scope.WEBHOOKS_READ, "POST": Scope.WEBHOOKS_WRITE}


class EndpointFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Endpoints by their state."""

    state = django_filters.MultipleChoiceFilter(choices=EndpointState.choices)

    class Meta:
        model = WebhookEndpoint
        fields: list[str] = []


class DeliveryFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Deliveries by endpoint, state, and what they tell of."""

    endpoint = django_filters.CharFilter("endpoint__public_id")
    event = django_filters.CharFilter("event__public_id")
    event_type = django_filters.MultipleChoiceFilter("event__type", choices=EventType.choices)
    about = django_filters.CharFilter("event__about")
    state = django_filters.MultipleChoiceFilter(choices=DeliveryState.choices)

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []


class EndpointsView(GenericAPIView[WebhookEndpoint]):
    """The caller's endpoints."""

    scopes = READ_WRITE
    serializer_class = EndpointSerializer
    filterset_class = EndpointFilters
    queryset = WebhookEndpoint.objects.none()  # for the schema; answers are cut to their caller

    @extend_schema(operation_id="list_webhook_endpoints", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List endpoints that were not removed, the newest first."""
        rows = self.filter_queryset(_endpoints(request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(EndpointSerializer(page, many=True).data)

    @extend_schema(
        operation_id="create_webhook_endpoint",
        tags=TAGS,
        request=EndpointRequestSerializer,
        responses={201: EndpointWithSecretSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Add an endpoint; the answer, and its repeats, hold its secret."""
        asked = EndpointRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        terms = EndpointTerms(**asked.validated_data)
        endpoint, secret = webhook_endpoints.add_endpoint(terms, actor=caller_of(request))
        where = {"Location": f"/api/v1/webhook_endpoints/{endpoint.public_id}"}
        return SecretResponse(_with_secret(endpoint, secret), HTTPStatus.CREATED, headers=where)


class EndpointView(APIView):
    """One endpoint."""

    scopes = {"GET": Scope.WEBHOOKS_READ, "PATCH": Scope.WEBHOOKS_WRITE}

    @extend_schema(operation_id="get_webhook_endpoint", tags=TAGS, responses=EndpointSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return an endpoint."""
        return Response(EndpointSerializer(_endpoint(request, public_id)).data)

    @extend_schema(
        operation_id="edit_webhook_endpoint",
        tags=TAGS,
        request=EndpointEditSerializer,
        responses=EndpointSerializer,
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Change where events are sent, and which."""
        endpoint = _endpoint(request, public_id)
        asked = EndpointEditSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        stands = {name: getattr(endpoint, name) for name in ("url", "description", "event_types")}
        terms = EndpointTerms(**(stands | asked.validated_data))
        webhook_endpoints.edit_endpoint(endpoint, terms, actor=caller_of(request))
        return Response(EndpointSerializer(endpoint).data)


class RotateSecretView(APIView):
    """Another secret for an endpoint."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="rotate_webhook_secret",
        tags=TAGS,
        request=None,
        responses=EndpointWithSecretSerializer,
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Make a fresh secret; the old one signs beside it for a day."""
        endpoint = _endpoint(request, public_id)
        secret = webhook_endpoints.rotate_secret(endpoint, actor=caller_of(request))
        return SecretResponse(_with_secret(endpoint, secret))


class EndpointDeed(APIView):
    """One verb of an endpoint that asks nothing and answers with the endpoint."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}
    deed: ClassVar[Callable[..., None]]

    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Do it, and return the endpoint as it stands then."""
        endpoint = _endpoint(request, public_id)
        type(self).deed(endpoint, actor=caller_of(request))
        return Response(EndpointSerializer(endpoint).data)


def deed_schema(operation_id: str, says: str) -> Callable[[type[APIView]], type[APIView]]:
    """Return what describes one verb of an endpoint."""
    schema = extend_schema(
        operation_id=operation_id,
        description=says,
        tags=TAGS,
        request=None,
        responses=EndpointSerializer,
    )
    described: Callable[[type[APIView]], type[APIView]] = extend_schema_view(post=schema)
    return described


@deed_schema(
    "enable_webhook_endpoint", "Tell a disabled endpoint again, beginning with what waited for it."
)
class EnableEndpointView(EndpointDeed):
    """Lets an endpoint be told again."""

    deed = staticmethod(webhook_endpoints.enable_endpoint)


@deed_schema("disable_webhook_endpoint", "Tell an endpoint nothing until it is enabled again.")
class DisableEndpointView(EndpointDeed):
    """Keeps an endpoint from being told."""

    deed = staticmethod(webhook_endpoints.disable_endpoint)


@deed_schema(
    "remove_webhook_endpoint", "End an endpoint for good; the log of what it was told stays."
)
class RemoveEndpointView(EndpointDeed):
    """Ends an endpoint."""

    deed = staticmethod(webhook_endpoints.remove_endpoint)


class SendTestView(APIView):
    """Tries an endpoint."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="send_webhook_test",
        tags=TAGS,
        request=None,
        responses={201: DeliverySerializer},
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Send an event of the type webhook.test to this endpoint alone."""
        endpoint = _endpoint(request, public_id)
        delivery = webhook_endpoints.send_test(endpoint, actor=caller_of(request))
        where = {"Location": f"/api/v1/webhook_deliveries/{delivery.public_id}"}
        return Response(DeliverySerializer(delivery).data, HTTPStatus.CREATED, headers=where)


@extend_schema_view(get=extend_schema(operation_id="list_webhook_deliveries", tags=TAGS))
class DeliveriesView(ListAPIView[WebhookDelivery]):
    """What the caller's endpoints were told, and what became of it."""

    scopes = {"GET": Scope.WEBHOOKS_READ}
    queryset = WebhookDelivery.objects.none()
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilters

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        """Return what the caller may see."""
        return _deliveries(self.request)


class DeliveryView(APIView):
    """One delivery."""

    scopes = {"GET": Scope.WEBHOOKS_READ}

    @extend_schema(
        operation_id="get_webhook_delivery", tags=TAGS, responses=DeliveryDetailSerializer
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return a delivery with what it sends and every attempt."""
        delivery = get_object_or_404(_deliveries(request), public_id=public_id)
        return Response(DeliveryDetailSerializer(delivery).data)


class ReplayDeliveryView(APIView):
    """Sends an event again."""

    scopes = {"POST": Scope.WEBHOOKS_WRITE}

    @extend_schema(
        operation_id="replay_webhook_delivery",
        tags=TAGS,
        request=None,
        responses=DeliverySerializer,
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Send the event again under its own id; the schedule of retries begins anew."""
        delivery = get_object_or_404(_deliveries(request), public_id=public_id)
        webhook_endpoints.replay_delivery(delivery, actor=caller_of(request))
        return Response(DeliverySerializer(delivery).data)


def _endpoints(request: Request) -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.visible_to(caller_of(request)).present()


def _endpoint(request: Request, public_id: str) -> WebhookEndpoint:
    return get_object_or_404(_endpoints(request), public_id=public_id)


def _deliveries(request: Request) -> QuerySet[WebhookDelivery]:
    rows = WebhookDelivery.objects.visible_to(caller_of(request))
    return rows.select_related("endpoint", "event")


def _with_secret(endpoint: WebhookEndpoint, secret: str) -> dict[str, Any]:
    return {**EndpointSerializer(endpoint).data, "secret": secret}
