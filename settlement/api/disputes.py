"""Disputes: a party objects to what was settled for a period, and follows what becomes of it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.fields import InstantField
from accounts.web.idempotency import idempotent
from accounts.web.serializers import StrictSerializer
from exchange.foundation.market_time import market_now
from settlement.api.contracts import own_contract
from settlement.api.filters import DisputeFilters
from settlement.models import Dispute, DisputeEvidence, DisputeState, Party
from settlement.queries.disputes import disputes_shown
from settlement.services.disputes import open_dispute, withdraw_dispute


class DisputeRequestSerializer(StrictSerializer):
    """Which period of which contract, and what was delivered instead."""

    contract = serializers.CharField(max_length=64)
    period_starts_at = InstantField()
    claimed_ms = serializers.IntegerField(min_value=0, help_text="accelerator-milliseconds")
    reason = serializers.CharField(max_length=200)


class DisputeSerializer(serializers.Serializer[Dispute]):
    """A dispute and where it stands; figures in accelerator-milliseconds."""

    id = serializers.CharField(source="public_id")
    state = serializers.ChoiceField(choices=DisputeState.choices)
    contract = serializers.CharField(source="period.contract.public_id")
    period_starts_at = InstantField(source="period.starts_at")
    opened_by = serializers.CharField(
        source="opened_by.public_id",
        default=None,
        allow_null=True,
        help_text="null: the exchange, since the meters disagree",
    )
    claimed_ms = serializers.IntegerField()
    provider_ms = serializers.IntegerField()
    buyer_ms = serializers.IntegerField(allow_null=True)
    ruled_ms = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    decision = serializers.CharField()
    opened_at = InstantField()
    decided_at = InstantField(allow_null=True)


class EvidenceSerializer(serializers.Serializer[DisputeEvidence]):
    """What one meter said about one device, as it came in."""

    party = serializers.ChoiceField(choices=Party.choices)
    meter = serializers.CharField(source="meter.public_id")
    device = serializers.CharField(source="device.public_id")
    boot_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    starts_at = InstantField()
    ends_at = InstantField()
    accel_ms_total = serializers.IntegerField()
    energy_mj_total = serializers.IntegerField(allow_null=True)
    util_ppm = serializers.IntegerField(allow_null=True)
    quality = serializers.CharField()


class DisputeList(GenericAPIView[Dispute]):
    """Disputes about the caller's contracts."""

    scopes = {"GET": Scope.CONTRACTS_READ, "POST": Scope.CONTRACTS_WRITE}
    queryset = Dispute.objects.none()
    serializer_class = DisputeSerializer
    filterset_class = DisputeFilters
    sorts = ("opened_at",)

    def get_queryset(self) -> QuerySet[Dispute]:
        """Return what the caller may see."""
        return disputes_shown(caller_of(self.request))

    @extend_schema(operation_id="disputes_list", tags=["settlement"])
    def get(self, request: Request) -> Response:
        """List disputes, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([DisputeSerializer(row).data for row in page])

    @extend_schema(
        operation_id="disputes_open",
        request=DisputeRequestSerializer,
        responses={201: DisputeSerializer},
        tags=["settlement"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Object to what was settled for a period; until it is decided nothing of it is final."""
        asked = DisputeRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        contract, caller = own_contract(request, said["contract"]), caller_of(request)
        period = get_object_or_404(contract.periods, starts_at=said["period_starts_at"])
        dispute = open_dispute(
            period,
            claimed_ms=said["claimed_ms"],
            reason=said["reason"],
            now=market_now(),
            actor=caller,
        )
        where = {"Location": f"/api/v1/disputes/{dispute.public_id}"}
        return Response(DisputeSerializer(dispute).data, status=201, headers=where)


class DisputeDetail(APIView):
    """One dispute."""

    scopes = {"GET": Scope.CONTRACTS_READ}

    @extend_schema(
        operation_id="disputes_retrieve", responses=DisputeSerializer, tags=["settlement"]
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return the dispute, or 404 if the caller has no part in its contract."""
        dispute = get_object_or_404(disputes_shown(caller_of(request)), public_id=public_id)
        return Response(DisputeSerializer(dispute).data)


class DisputeEvidenceList(GenericAPIView[DisputeEvidence]):
    """Both meters' series of the disputed period."""

    scopes = {"GET": Scope.CONTRACTS_READ}
    queryset = DisputeEvidence.objects.none()
    serializer_class = EvidenceSerializer
    sorts = ("ends_at",)
    sort = "ends_at"

    @extend_schema(operation_id="disputes_evidence", tags=["settlement"])
    def get(self, request: Request, public_id: str) -> Response:
        """List the readings in order of time."""
        dispute = get_object_or_404(disputes_shown(caller_of(request)), public_id=public_id)
        rows = dispute.evidence.select_related("meter", "device")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([EvidenceSerializer(row).data for row in page])


class DisputeWithdraw(APIView):
    """A dispute that is not kept up."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="disputes_withdraw",
        request=None,
        responses=DisputeSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Take it back; only who opened it can."""
        caller = caller_of(request)
        own = disputes_shown(caller).filter(opened_by_id=caller.organization_id)
        dispute = get_object_or_404(own, public_id=public_id)
        withdraw_dispute(dispute, now=market_now(), actor=caller)
        return Response(DisputeSerializer(dispute).data)
