"""Balances and transfers, cut to the caller's own."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from settlement.api.filters import TransferFilters
from settlement.api.serializers import BalancesSerializer, TransferSerializer
from settlement.models import Transfer
from settlement.queries.balances import accounts_shown, recent_transfers, transfers_shown


class BalancesView(APIView):
    """What the caller has of each kind, what is held for its bids, and what moved last."""

    scopes = {"GET": Scope.BALANCES_READ}

    @extend_schema(operation_id="balances", responses=BalancesSerializer, tags=["settlement"])
    def get(self, request: Request) -> Response:
        """Return the caller's balances."""
        caller = caller_of(request)
        found = {
            "accounts": accounts_shown(caller),
            "recent_transfers": recent_transfers(caller),
        }
        return Response(BalancesSerializer(found, context={"request": request}).data)


@extend_schema_view(get=extend_schema(operation_id="transfers_list", tags=["settlement"]))
class TransferList(ListAPIView[Transfer]):
    """Transfers from or to the caller's accounts."""

    scopes = {"GET": Scope.BALANCES_READ}
    queryset = Transfer.objects.none()
    serializer_class = TransferSerializer
    filterset_class = TransferFilters
    sorts = ("event_at",)

    def get_queryset(self) -> QuerySet[Transfer]:
        """Return what the caller may see."""
        return transfers_shown(caller_of(self.request))
