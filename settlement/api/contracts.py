"""Contracts, cut to those that the caller buys or provides."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from settlement.api.filters import ContractFilters
from settlement.api.serializers import ContractDetailSerializer, ContractSerializer
from settlement.models import Contract
from settlement.queries.contracts import contracts_shown


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
