"""Halts, which are told to everybody, and the measures by which operators make and lift them."""

from collections.abc import Callable
from typing import Any, NoReturn

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Organization
from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from accounts.web.fields import InstantField, MoneyField, PriceField, QuantityField
from accounts.web.idempotency import idempotent
from accounts.web.serializers import StrictSerializer
from exchange.models import (
    Accelerator,
    AuctionSeries,
    MarketFreeze,
    Measure,
    MeasureKind,
    MeasureState,
    Region,
)
from exchange.models.columns import REASON_LENGTH_MAX
from exchange.services.measures import (
    approve_measure,
    ask_halt,
    ask_position_limit,
    ask_price_cap,
    ask_resume,
    measure_of,
    refuse_measure,
)

TAGS = ["market"]
HOUR_MINUTES = 60
WHOLE_MAX = 10**15


class HaltSerializer(serializers.Serializer[MarketFreeze]):
    """A halt: of the market, or of a series of auctions, a region or an accelerator."""

    id = serializers.CharField(source="pk")
    scope = serializers.ChoiceField(choices=["market", "series", "region", "accelerator"])
    part = serializers.CharField(help_text="the code of what is halted; empty: the whole market")
    reason = serializers.CharField()
    frozen_at = InstantField()
    lifted_at = InstantField(allow_null=True)


class HaltFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    live = django_filters.BooleanFilter("lifted_at", lookup_expr="isnull")

    class Meta:
        model = MarketFreeze
        fields = ["live"]


@extend_schema_view(get=extend_schema(operation_id="list_halts", tags=TAGS))
class HaltsView(ListAPIView[MarketFreeze]):
    """Halts with their reasons, the latest first; ``live=true``: those that are on."""

    public = True
    serializer_class = HaltSerializer
    filterset_class = HaltFilter
    queryset = MarketFreeze.objects.visible_to(None).select_related(
        "series", "region", "accelerator"
    )
    sorts = ("frozen_at",)
    sort = "-frozen_at"


class MeasureRequestSerializer(StrictSerializer):
    """What is asked for: which members are needed depends on the kind."""

    kind = serializers.ChoiceField(choices=MeasureKind.choices)
    reason = serializers.CharField(max_length=REASON_LENGTH_MAX)
    series = serializers.CharField(required=False, help_text="halt, price_cap: of this series")
    region = serializers.CharField(required=False, help_text="halt: of this region")
    accelerator = serializers.CharField(required=False, help_text="halt: of this accelerator")
    halt = serializers.CharField(required=False, help_text="resume: the halt's id")
    organization = serializers.CharField(required=False, help_text="position_limit: whose")
    price_cap = PriceField(required=False, minimum=1, maximum=WHOLE_MAX, help_text="price_cap")
    accelerator_hours = QuantityField(
        required=False, minimum=0, maximum=10**12, help_text="position_limit: in one auction"
    )
    amount = MoneyField(
        required=False, minimum=0, maximum=WHOLE_MAX, help_text="position_limit: money at risk"
    )


class MeasureSerializer(serializers.Serializer[Measure]):
    """A measure and what became of it."""

    id = serializers.CharField(source="public_id")
    kind = serializers.ChoiceField(choices=MeasureKind.choices)
    state = serializers.ChoiceField(choices=MeasureState.choices)
    scope = serializers.ChoiceField(choices=["market", "series", "region", "accelerator"])
    part = serializers.CharField()
    halt = serializers.CharField(source="halt_id", allow_null=True)
    organization = serializers.CharField(source="organization.public_id", default=None)
    price_cap = PriceField(source="price_cap_ticks", allow_null=True)
    accelerator_hours = serializers.SerializerMethodField()
    amount = MoneyField(source="cost_micros_max", allow_null=True)
    reason = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = InstantField()
    decided_by = serializers.CharField(allow_null=True)
    decided_at = InstantField(allow_null=True)
    decision = serializers.CharField()

    def get_accelerator_hours(self, measure: Measure) -> str | None:
        """Return the bound on a position as a decimal string."""
        if measure.lot_minutes_max is None:
            return None
        return QuantityField().to_representation(measure.lot_minutes_max // HOUR_MINUTES)


class MeasureFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    class Meta:
        model = Measure
        fields = ["kind", "state"]


class MeasuresView(GenericAPIView[Measure]):
    """Halts, resumptions and limits that operators asked for."""

    scopes = {"GET": Scope.MEASURES_READ, "POST": Scope.MEASURES_WRITE}
    queryset = Measure.objects.none()
    serializer_class = MeasureSerializer
    filterset_class = MeasureFilter
    sorts = ("asked_at",)
    sort = "-asked_at"

    def get_queryset(self) -> QuerySet[Measure]:
        """Return what the caller may see."""
        return Measure.objects.visible_to(caller_of(self.request)).select_related(
            "series", "region", "accelerator", "organization", "asked_by", "decided_by"
        )

    @extend_schema(operation_id="list_measures", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List measures, the newest first; to operators and auditors alone."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([MeasureSerializer(row).data for row in page])

    @extend_schema(
        operation_id="ask_measure",
        request=MeasureRequestSerializer,
        responses={201: MeasureSerializer},
        tags=TAGS,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a measure. Another operator has to approve it before anything happens."""
        asked = MeasureRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        measure = _ASK[said["kind"]](said, reason=said["reason"], actor=caller_of(request))
        where = {"Location": f"/api/v1/measures/{measure.public_id}"}
        return Response(MeasureSerializer(measure).data, status=201, headers=where)


class MeasureView(APIView):
    """One measure."""

    scopes = {"GET": Scope.MEASURES_READ}

    @extend_schema(operation_id="get_measure", responses=MeasureSerializer, tags=TAGS)
    def get(self, request: Request, public_id: str) -> Response:
        """Return the measure, or 404 to whom it is no business of."""
        found = measure_of(public_id, caller=caller_of(request))
        return Response(MeasureSerializer(found).data)


class DecisionSerializer(StrictSerializer):
    """Why it is approved or refused."""

    reason = serializers.CharField(max_length=REASON_LENGTH_MAX)


class ApproveMeasureView(APIView):
    """A measure that is to be done."""

    scopes = {"POST": Scope.MEASURES_APPROVE}

    @extend_schema(
        operation_id="approve_measure",
        request=DecisionSerializer,
        responses=MeasureSerializer,
        tags=TAGS,
    )
    def post(self, request: Request, public_id: str) -> Response:
        """Do what another operator asked for; never what one asked for oneself."""
        return _decided(approve_measure, request, public_id)


class RefuseMeasureView(APIView):
    """A measure that is not to be done."""

    scopes = {"POST": Scope.MEASURES_WRITE}

    @extend_schema(
        operation_id="refuse_measure",
        request=DecisionSerializer,
        responses=MeasureSerializer,
        tags=TAGS,
    )
    def post(self, request: Request, public_id: str) -> Response:
        """End it; who asked may take it back so."""
        return _decided(refuse_measure, request, public_id)


def _decided(decide: Callable[..., None], request: Request, public_id: str) -> Response:
    said = DecisionSerializer(data=request.data)
    said.is_valid(raise_exception=True)
    actor = caller_of(request)
    measure = measure_of(public_id, caller=actor)
    decide(measure, reason=said.validated_data["reason"], actor=actor)
    return Response(MeasureSerializer(measure).data)


def _halt(said: dict[str, Any], **who: Any) -> Measure:
    return ask_halt(
        series=_named(AuctionSeries, said, "series", needed=False),
        region=_named(Region, said, "region", needed=False),
        accelerator=_named(Accelerator, said, "accelerator", needed=False),
        **who,
    )


def _resume(said: dict[str, Any], **who: Any) -> Measure:
    number = said.get("halt", "")
    known = number.isascii() and number.isdigit() and len(number) <= 18  # noqa: PLR2004
    halts = MarketFreeze.objects.select_related("series", "region", "accelerator")
    halt = halts.filter(pk=int(number)).first() if known else None
    return ask_resume(halt or _unknown("halt"), **who)


def _price_cap(said: dict[str, Any], **who: Any) -> Measure:
    if "price_cap" not in said:
        _unknown("price_cap")
    series = _named(AuctionSeries, said, "series") or _unknown("series")
    return ask_price_cap(series, price_cap_ticks=said["price_cap"], **who)


def _position_limit(said: dict[str, Any], **who: Any) -> Measure:
    organization = Organization.objects.filter(public_id=said.get("organization", "")).first()
    lots = said.get("accelerator_hours")
    return ask_position_limit(
        organization or _unknown("organization"),
        lot_minutes_max=None if lots is None else lots * HOUR_MINUTES,
        cost_micros_max=said.get("amount"),
        **who,
    )


_ASK = {
    MeasureKind.HALT: _halt,
    MeasureKind.RESUME: _resume,
    MeasureKind.PRICE_CAP: _price_cap,
    MeasureKind.POSITION_LIMIT: _position_limit,
}


def _named(model: Any, said: dict[str, Any], name: str, *, needed: bool = True) -> Any:
    if name not in said and not needed:
        return None
    return model.objects.filter(code=said.get(name, "")).first() or _unknown(name)


def _unknown(name: str) -> NoReturn:
    raise serializers.ValidationError({name: [f"There is no such {name}."]}, "unknown")
