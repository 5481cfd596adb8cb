"""Payouts: an organization asks for its money, follows it, and takes the wish back."""

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
from accounts.web.fields import InstantField, MoneyField
from accounts.web.idempotency import idempotent
from accounts.web.serializers import StrictSerializer
from settlement.api.filters import PayoutFilters
from settlement.models import AccountKind, Payout, PayoutState
from settlement.services.payouts import BankAccount, ask_payout, cancel_payout

SOURCES = [AccountKind.AVAILABLE.value, AccountKind.PAYABLE.value]


class PayoutRequestSerializer(StrictSerializer):
    """How much of which money is to go to which bank account."""

    amount = MoneyField(minimum=1, help_text="whole minor units of the currency")
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]
    holder = serializers.CharField(max_length=140, help_text="whose bank account it is")
    bank = serializers.CharField(max_length=140)
    account = serializers.CharField(max_length=64, help_text="its number")


class PayoutSerializer(serializers.Serializer[Payout]):
    """A payout and where it stands; of the bank account only the end of the number is shown."""

    id = serializers.CharField(source="public_id")
    state = serializers.ChoiceField(choices=PayoutState.choices)
    source = serializers.ChoiceField(choices=SOURCES)  # type: ignore[assignment]
    amount = MoneyField(source="amount_micros")
    currency = serializers.CharField()
    holder = serializers.CharField()
    bank = serializers.CharField()
    account_end = serializers.CharField()
    reason_code = serializers.CharField()
    reason_detail = serializers.CharField()
    created_at = InstantField()
    submitted_at = InstantField(allow_null=True)
    confirmed_at = InstantField(allow_null=True)
    ended_at = InstantField(allow_null=True)


class PayoutList(GenericAPIView[Payout]):
    """The caller's payouts."""

    scopes = {"GET": Scope.BALANCES_READ, "POST": Scope.PAYOUTS_WRITE}
    queryset = Payout.objects.none()
    serializer_class = PayoutSerializer
    filterset_class = PayoutFilters

    def get_queryset(self) -> QuerySet[Payout]:
        """Return what the caller may see."""
        return Payout.objects.visible_to(caller_of(self.request))

    @extend_schema(operation_id="payouts_list", tags=["settlement"])
    def get(self, request: Request) -> Response:
        """List payouts, the newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([PayoutSerializer(row).data for row in page])

    @extend_schema(
        operation_id="payouts_ask",
        request=PayoutRequestSerializer,
        responses={201: PayoutSerializer},
        tags=["settlement"],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Set money aside to be paid out, once an operator has approved it."""
        asked = PayoutRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        payout = ask_payout(
            amount_micros=said["amount"],
            source=AccountKind(said["source"]),
            to=BankAccount(holder=said["holder"], bank=said["bank"], account=said["account"]),
            caller=caller_of(request),
        )
        where = {"Location": f"/api/v1/payouts/{payout.public_id}"}
        return Response(PayoutSerializer(payout).data, status=201, headers=where)


class PayoutDetail(APIView):
    """One payout."""

    scopes = {"GET": Scope.BALANCES_READ}

    @extend_schema(operation_id="payouts_retrieve", responses=PayoutSerializer, tags=["settlement"])
    def get(self, request: Request, public_id: str) -> Response:
        """Return the payout, or 404 if it is another's."""
        own = Payout.objects.visible_to(caller_of(request))
        return Response(PayoutSerializer(get_object_or_404(own, public_id=public_id)).data)


class PayoutCancel(APIView):
    """A payout that is not wanted any more."""

    scopes = {"POST": Scope.PAYOUTS_WRITE}

    @extend_schema(
        operation_id="payouts_cancel", request=None, responses=PayoutSerializer, tags=["settlement"]
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Take it back while it is not submitted; the money is back at once."""
        return Response(PayoutSerializer(cancel_payout(public_id, caller=caller_of(request))).data)
