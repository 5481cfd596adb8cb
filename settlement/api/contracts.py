"""Contracts, cut to those that the caller buys or provides."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.serializers import StrictSerializer
from settlement.api.filters import ContractFilters
from settlement.api.serializers import ContractDetailSerializer, ContractSerializer
from settlement.models import Contract
from settlement.queries.contracts import contracts_shown
from settlement.services.contract_life import confirm_provisioning, reclaim_contract


@extend_schema_view(get=extend_schema(operation_id="contracts_list", tags=["settlement"]))
class ContractList(ListAPIView[Contract]):
    """Contracts that the caller buys or provides."""

    scopes = {"GET": Scope.CONTRACTS_READ}
    queryset = Contract.objects.none()
    serializer_class = ContractSerializer
    filterset_class = ContractFilters
    sorts = ("starts_at", "ends_at", "created_at")

    def get_queryset(self) -> QuerySet[Contract]:
        """Return what the caller may see."""
        return contracts_shown(caller_of(self.request))


class ContractDetail(APIView):
    """One contract with its delivery periods."""

    scopes = {"GET": Scope.CONTRACTS_READ}

    @extend_schema(
        operation_id="contracts_retrieve", responses=ContractDetailSerializer, tags=["settlement"]
    )
    def get(self, request: Request, public_id: str) -> Response:
        """Return the contract, or 404 if the caller has no part in it."""
        contract = get_object_or_404(contracts_shown(caller_of(request)), public_id=public_id)
        return Response(ContractDetailSerializer(contract).data)


class ReasonSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=200)


class ContractConfirm(APIView):
    """Provisioning, confirmed by each party."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="contracts_confirm",
        request=None,
        responses=ContractDetailSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Say that the machines are ready, or that they can be used: each party once."""
        contract = own_contract(request, public_id)
        confirm_provisioning(contract, actor=caller_of(request))
        return Response(ContractDetailSerializer(contract).data)


class ContractReclaim(APIView):
    """Capacity that its provider takes back."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="contracts_reclaim",
        request=ReasonSerializer,
        responses=ContractDetailSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Give the notice of the terms; behind it not delivering costs no penalty."""
        contract = own_contract(request, public_id)
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        reason = asked.validated_data["reason"]
        reclaim_contract(contract, reason=reason, actor=caller_of(request))
        return Response(ContractDetailSerializer(contract).data)


def own_contract(request: Request, public_id: str) -> Contract:
    """Return a contract that the caller is a party of; 404 for all others, whoever sees them."""
    caller = caller_of(request)
    party = Q(buyer_id=caller.organization_id) | Q(provider_id=caller.organization_id)
    return get_object_or_404(contracts_shown(caller).filter(party), public_id=public_id)
