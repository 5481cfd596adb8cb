"""A small API of its own, to try what all doors share without any package's endpoints."""

import threading
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import include, path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Organization
from accounts.web.fields import InstantField, MoneyField, QuantityField
from accounts.web.idempotency import idempotent
from accounts.web.serializers import StrictSerializer
from exchange.config.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class OutOfStock(Exception):
    """A refusal of a domain, as settings.REFUSALS knows them."""

    errors = [{"pointer": "/lots", "code": "too_many", "detail": "only two are left"}]


class OutOfOneStock(OutOfStock):
    """A closer word for the same refusal; the row of its parent serves it."""


REFUSALS = {OutOfStock: (HTTPStatus.CONFLICT, "out_of_stock")}
RAISES: dict[str, Exception] = {
    "refusal": OutOfStock("nothing is left"),
    "closer-refusal": OutOfOneStock("nothing is left"),
    "missing": Http404(),
    "forbidden": PermissionDenied(),
    "fault": ZeroDivisionError("a secret of ours"),
    "database": OperationalError("deadlock detected"),
}


class PieceSerializer(StrictSerializer):
    quantity = QuantityField(minimum=1)
    note = serializers.CharField(required=False, max_length=5)


class OrderSerializer(StrictSerializer):
    name = serializers.CharField(max_length=40)
    limit = MoneyField(required=False, minimum=0, maximum=10_000_000)
    at = InstantField(required=False)
    pieces = PieceSerializer(many=True, required=False)
    counted = serializers.IntegerField(read_only=True)


class Orders(APIView):
    """Creates an organization of the name that it is told."""

    scopes = {"GET": "bids:read", "POST": "bids:write"}
    entered = threading.Event()
    go_on = threading.Event()
    go_on.set()

    def get(self, request: Request) -> Response:
        return Response([])

    @idempotent
    def post(self, request: Request) -> HttpResponseBase:
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        created = Organization.objects.create(name=order.validated_data["name"], buys=True)
        self.entered.set()
        assert self.go_on.wait(timeout=20)
        if created.name == "refused":
            raise OutOfStock("nothing is left")
        if created.name == "declined":
            return Response({"answer": "no"}, status=422)
        return Response(
            {"id": created.public_id}, status=201, headers={"Location": f"/{created.public_id}"}
        )


class Checks(APIView):
    """Says what it understood."""

    scopes = {"POST": ""}

    def post(self, request: Request) -> Response:
        order = OrderSerializer(data=request.data)
        order.is_valid(raise_exception=True)
        return Response({**order.data})


class Faults(APIView):
    public = True

    def get(self, request: Request, name: str) -> Response:
        raise RAISES[name]


class Shut(APIView):
    """States neither scopes nor that it is public."""

    def get(self, request: Request) -> Response:
        return Response("seen")


class NameSerializer(serializers.ModelSerializer[Organization]):
    class Meta:
        model = Organization
        fields = ["name", "public_id"]


class Names(ListAPIView[Organization]):
    scopes = {"GET": ""}
    sorts = ("created_at", "name")
    serializer_class = NameSerializer
    queryset = Organization.objects.filter(name__startswith="n")


ours: list[Any] = [
    path("orders", Orders.as_view()),
    path("checks", Checks.as_view()),
    path("faults/<name>", Faults.as_view()),
    path("shut", Shut.as_view()),
    path("names", Names.as_view()),
]
urlpatterns = [path("api/", include(ours)), path("", include("exchange.config.urls"))]
