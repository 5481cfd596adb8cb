"""Following one kilowatt-hour and one yuan: an hour's readings, runs, transfers and lines."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from settlement.api.serializers import TransferDetailSerializer
from settlement.api.trace_serializers import HourSerializer, ReadingSerializer
from settlement.models import DeliveryPeriod, Reading
from settlement.queries.balances import transfers_shown
from settlement.queries.contracts import contracts_shown
from settlement.queries.hours import event_ids_of, period_named, readings_of, runs_of
from settlement.queries.line_transfers import places_of


class HourDetail(APIView):
    """One hour of a contract: each run with its inputs' hash, its transfers and its lines."""

    scopes = {"GET": Scope.CONTRACTS_READ}

    @extend_schema(operation_id="hours_retrieve", responses=HourSerializer, tags=["settlement"])
    def get(self, request: Request, public_id: str, hour: str) -> Response:
        """Return the hour, or 404 if the caller has no part in the contract."""
        period = _period(request, public_id, hour)
        told = {"period": period, "runs": runs_of(period, caller_of(request))}
        return Response(HourSerializer(told, context={"request": request}).data)


@extend_schema_view(get=extend_schema(operation_id="hours_readings", tags=["settlement"]))
class HourReadings(ListAPIView[Reading]):
    """What the meters of both parties said about one hour of a contract."""

    scopes = {"GET": Scope.READINGS_READ}
    queryset = Reading.objects.none()
    serializer_class = ReadingSerializer
    sorts = ("ends_at",)
    sort = "ends_at"

    def get_queryset(self) -> QuerySet[Reading]:
        """Return the readings, or 404 if the caller has no part in the contract."""
        return readings_of(_period(self.request, self.kwargs["public_id"], self.kwargs["hour"]))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a page of readings with the ids that their meters gave them."""
        page = self.paginate_queryset(self.get_queryset()) or []
        context = {**self.get_serializer_context(), "events": event_ids_of(page)}
        rows = [ReadingSerializer(reading, context=context).data for reading in page]
        return self.get_paginated_response(rows)


class TransferDetail(APIView):
    """One transfer, with its place in the chain and the lines that say what it moved."""

    scopes = {"GET": Scope.BALANCES_READ}

    @extend_schema(
        operation_id="transfers_retrieve", responses=TransferDetailSerializer, tags=["settlement"]
    )
    def get(self, request: Request, transfer_id: str) -> Response:
        """Return the transfer, or 404 if it is between others."""
        caller = caller_of(request)
        rows = transfers_shown(caller).select_related("batch")
        transfer = get_object_or_404(rows, pk=transfer_id)
        context = {"request": request, "places": places_of([transfer], caller)}
        return Response(TransferDetailSerializer(transfer, context=context).data)


def _period(request: Request, public_id: str, hour: str) -> DeliveryPeriod:
    contract = get_object_or_404(contracts_shown(caller_of(request)), public_id=public_id)
    period = period_named(contract, hour)
    if period is None:
        raise NotFound("The contract has no such hour.")
    return period
