"""What a provider's sites have, and when some of it is down."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.web.caller import caller_of
from accounts.web.idempotency import idempotent
from exchange.api.offer_printing import print_maintenance, print_segment
from exchange.api.offer_serializers import (
    CapacitySerializer,
    MaintenanceRequestSerializer,
    MaintenanceSerializer,
)
from exchange.api.printing import print_instant
from exchange.foundation.market_time import market_now
from exchange.models import MaintenanceWindow
from exchange.queries.capacity import capacity_of
from exchange.services.body_reading import read_span
from exchange.services.maintenance import call_off_maintenance, plan_maintenance

TAGS = ["capacity"]
SHOWN: Final = timedelta(hours=48)
SHOWN_MAX: Final = timedelta(days=31)
INSTANT = OpenApiTypes.DATETIME
EXAMPLE = {
    "site": "bj-1",
    "starts_at": "2027-01-10T02:00:00+08:00",
    "ends_at": "2027-01-10T06:00:00+08:00",
    "reason": "new cooling in hall B",
}


class CapacityView(APIView):
    """What stands, is down, sold, promised and free."""

    scopes = {"GET": "offers:read"}

    @extend_schema(
        operation_id="get_capacity",
        tags=TAGS,
        responses=CapacitySerializer,
        parameters=[
            OpenApiParameter("starts_at", INSTANT, description="from; this hour unless given"),
            OpenApiParameter("ends_at", INSTANT, description="until; 48 hours unless given"),
            OpenApiParameter("site", str, description="one site alone"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Return the caller's sites, a row for each stretch in which nothing changes."""
        starts_at, ends_at = self._span(request)
        site_code = request.query_params.get("site", "")
        cells = capacity_of(caller_of(request), starts_at, ends_at, site_code=site_code)
        rows = [
            print_segment(cell.site, cell.accelerator, segment)
            for cell in cells
            for segment in cell.segments
        ]
        span = {"starts_at": print_instant(starts_at), "ends_at": print_instant(ends_at)}
        return Response({**span, "data": rows})

    def _span(self, request: Request) -> tuple[datetime, datetime]:
        hour = market_now().replace(minute=0, second=0, microsecond=0)
        said = {name: request.query_params.get(name) for name in ("starts_at", "ends_at")}
        return read_span(said, start=hour, length=SHOWN, most=SHOWN_MAX)


class MaintenanceFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Which windows to list."""

    site = django_filters.CharFilter(field_name="site__code")
    ends_after = django_filters.IsoDateTimeFilter(field_name="ends_at", lookup_expr="gt")

    class Meta:
        model = MaintenanceWindow
        fields: list[str] = []


class MaintenanceView(GenericAPIView[MaintenanceWindow]):
    """All maintenance of the caller's sites."""

    scopes = {"GET": "offers:read", "POST": "offers:write"}
    serializer_class = MaintenanceSerializer
    filterset_class = MaintenanceFilter
    queryset = MaintenanceWindow.objects.none()  # for the schema
    sorts = ("starts_at", "created_at")

    @extend_schema(operation_id="list_maintenance", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List planned maintenance, the latest first."""
        rows = MaintenanceWindow.objects.visible_to(caller_of(request))
        named = self.filter_queryset(rows.select_related("site", "accelerator"))
        page = self.paginate_queryset(named) or []
        return self.get_paginated_response([print_maintenance(window) for window in page])

    @extend_schema(
        operation_id="plan_maintenance",
        tags=TAGS,
        request=MaintenanceRequestSerializer,
        responses={201: MaintenanceSerializer},
        examples=[OpenApiExample("a whole site for a night", value=EXAMPLE, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Tell when accelerators will be down; books that close from now on sell none of them."""
        window = plan_maintenance(request.data, caller=caller_of(request))
        return Response(print_maintenance(window), HTTPStatus.CREATED)


class CallOffMaintenanceView(APIView):
    """Takes a planned window back."""

    scopes = {"POST": "offers:write"}

    @extend_schema(
        operation_id="call_off_maintenance",
        tags=TAGS,
        request=None,
        responses={200: MaintenanceSerializer},
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Call planned maintenance off before it is over."""
        return Response(
            print_maintenance(call_off_maintenance(public_id, caller=caller_of(request)))
        )
