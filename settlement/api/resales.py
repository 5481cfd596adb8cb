"""Resales: a buyer sells on hours of a contract, to an organization it names or at auctions."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Organization
from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.fields import InstantField, PriceField, QuantityField
from accounts.web.idempotency import idempotent
from accounts.web.serializers import StrictSerializer
from settlement.api.contracts import own_contract
from settlement.api.filters import ResaleFilters
from settlement.api.serializers import ContractDetailSerializer, PartySerializer
from settlement.models import Resale, ResaleState
from settlement.models.projects import NAME_LENGTH_MAX
from settlement.queries.resales import new_buyer_named, resales_shown
from settlement.services.resales import (
    PRICE_TICKS_MAX,
    QUANTITY_LOTS_MAX,
    BadNewBuyer,
    accept_resale,
    decline_resale,
    open_resale,
    withdraw_resale,
)


class ResaleRequestSerializer(StrictSerializer):
    """Which hours of which contract, at which price, and to whom."""

    contract = serializers.CharField(max_length=64)
    buyer = serializers.CharField(
        max_length=64, required=False, help_text="an organization's id; none: at auctions"
    )
    starts_at = InstantField(required=False, help_text="none: from the next period on")
    ends_at = InstantField(required=False, help_text="none: to the contract's end")
    quantity = QuantityField(
        minimum=1, maximum=QUANTITY_LOTS_MAX, required=False, help_text="none: all that is left"
    )
    price = PriceField(
        minimum=0, maximum=PRICE_TICKS_MAX, help_text="per accelerator-hour; at auctions a floor"
    )


class AcceptRequestSerializer(StrictSerializer):
    """Whose budget it is paid from."""

    project = serializers.CharField(max_length=NAME_LENGTH_MAX, required=False)


class ResaleSerializer(serializers.Serializer[Resale]):
    """Hours on resale and where they stand."""

    id = serializers.CharField(source="public_id")
    state = serializers.ChoiceField(choices=ResaleState.choices)
    reason_code = serializers.CharField()
    contract = serializers.CharField(source="contract.public_id")
    reseller = PartySerializer(source="contract.buyer")
    buyer = PartySerializer(allow_null=True, help_text="null: offered back at auctions")
    site = serializers.CharField(source="contract.site_code")
    accelerator = serializers.CharField(source="contract.accelerator_code")
    starts_at = InstantField()
    ends_at = InstantField()
    quantity = QuantityField(source="quantity_lots", allow_null=True)
    price = PriceField(source="price_ticks")
    currency = serializers.CharField(source="contract.currency")
    opened_at = InstantField()
    closed_at = InstantField(allow_null=True)


class ResaleList(GenericAPIView[Resale]):
    """What the caller sells on or is offered."""

    scopes = {"GET": Scope.CONTRACTS_READ, "POST": Scope.CONTRACTS_WRITE}
    queryset = Resale.objects.none()
    serializer_class = ResaleSerializer
    filterset_class = ResaleFilters
    sorts = ("opened_at", "starts_at")

    def get_queryset(self) -> QuerySet[Resale]:
        """Return what the caller may see."""
        return resales_shown(caller_of(self.request))

    @extend_schema(operation_id="resales_list", tags=["settlement"])
    def get(self, request: Request) -> Response:
        """List resales, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([ResaleSerializer(row).data for row in page])

    @extend_schema(
        operation_id="resales_open",
        request=ResaleRequestSerializer,
        responses={201: ResaleSerializer},
        tags=["settlement"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Put hours on sale; they are kept for it until it is sold, withdrawn or lapses."""
        asked = ResaleRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        contract = own_contract(request, said["contract"])
        resale = open_resale(
            contract,
            price_ticks=said["price"],
            buyer=_new_buyer(said.get("buyer")),
            starts_at=said.get("starts_at"),
            ends_at=said.get("ends_at"),
            quantity_lots=said.get("quantity"),
            actor=caller_of(request),
        )
        where = {"Location": f"/api/v1/resales/{resale.public_id}"}
        return Response(ResaleSerializer(resale).data, status=201, headers=where)


class ResaleDetail(APIView):
    """One resale."""

    scopes = {"GET": Scope.CONTRACTS_READ}

    @extend_schema(operation_id="resales_retrieve", responses=ResaleSerializer, tags=["settlement"])
    def get(self, request: Request, public_id: str) -> Response:
        """Return the resale, or 404 if it is none of the caller's business."""
        resale = get_object_or_404(resales_shown(caller_of(request)), public_id=public_id)
        return Response(ResaleSerializer(resale).data)


class ResaleAccept(APIView):
    """Hours that are taken."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="resales_accept",
        request=AcceptRequestSerializer,
        responses={201: ContractDetailSerializer},
        tags=["settlement"],
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Buy what is offered: its greatest cost is held, and a contract is opened."""
        resale = _offered(request, public_id)
        asked = AcceptRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        project = asked.validated_data.get("project", "")
        contract = accept_resale(resale, actor=caller_of(request), project=project)
        return Response(ContractDetailSerializer(contract).data, status=201)


class ResaleDecline(APIView):
    """Hours that are not wanted."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="resales_decline",
        request=None,
        responses=ResaleSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Say no; only to whom it is offered can."""
        resale = _offered(request, public_id)
        decline_resale(resale, actor=caller_of(request))
        return Response(ResaleSerializer(resale).data)


class ResaleWithdraw(APIView):
    """Hours that are taken off sale."""

    scopes = {"POST": Scope.CONTRACTS_WRITE}

    @extend_schema(
        operation_id="resales_withdraw",
        request=None,
        responses=ResaleSerializer,
        tags=["settlement"],
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Take it back; what was sold stays sold."""
        own = resales_shown(caller_of(request)).filter(
            contract__buyer_id=caller_of(request).organization_id
        )
        resale = get_object_or_404(own, public_id=public_id)
        withdraw_resale(resale, actor=caller_of(request))
        return Response(ResaleSerializer(resale).data)


def _offered(request: Request, public_id: str) -> Resale:
    """Return a resale that is offered to the caller; 404 for all others, whoever sees them."""
    caller = caller_of(request)
    offered = resales_shown(caller).filter(buyer_id=caller.organization_id)
    return get_object_or_404(offered, public_id=public_id)


def _new_buyer(named: str | None) -> Organization | None:
    """Return the organization of this id, None where none is named. Raises BadNewBuyer."""
    found = None if named is None else new_buyer_named(named)
    if named is not None and found is None:
        raise BadNewBuyer(f"no organization {named} buys here")
    return found
