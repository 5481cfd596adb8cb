"""Bids as OpenAPI describes them. The reading and the printing are elsewhere, and leaner."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchange.models import BidKind, BidState, TimeInForce
from exchange.models.bids import ACCELERATORS_MAX, REGIONS_MAX
from exchange.models.chips import DTYPE_BITS
from exchange.services.bulk_bids import BULK_MAX

DECIMAL = {"type": "string", "pattern": r"^\d{1,18}(\.\d{1,18})?$"}


@extend_schema_field(DECIMAL)
class DecimalText(serializers.CharField):
    """A decimal in a string."""


class ChoiceSerializer(serializers.Serializer[Any]):
    """An acceptable accelerator, and how many of it do the work of one unit."""

    accelerator = serializers.CharField()
    factor = DecimalText()


class BidRequestSerializer(serializers.Serializer[Any]):
    """A bid to place. Either ``accelerators`` or ``model`` with ``dtype`` says what will do."""

    auction = serializers.CharField(required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=BidKind.values)
    time_in_force = serializers.ChoiceField(choices=TimeInForce.values)
    origin = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = DecimalText()
    limit_price = DecimalText()
    duration = DecimalText(required=False, allow_null=True, help_text="hours; blocks alone")
    volume = DecimalText(required=False, allow_null=True, help_text="unit-hours; volume alone")
    group = serializers.CharField(required=False, allow_null=True, help_text="blocks alone")
    latency_ms_max = DecimalText(required=False, allow_null=True)
    gbps = DecimalText(required=False, allow_null=True, help_text="per accelerator")
    renewable_share_min = DecimalText(required=False, allow_null=True)
    regions = serializers.ListField(
        child=serializers.CharField(), required=False, max_length=REGIONS_MAX
    )
    accelerators = serializers.ListField(
        child=ChoiceSerializer(), required=False, max_length=ACCELERATORS_MAX
    )
    model = serializers.CharField(required=False, allow_null=True)
    dtype = serializers.ChoiceField(choices=list(DTYPE_BITS), required=False, allow_null=True)
    project = serializers.CharField(required=False)
    label = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]


class BidSerializer(serializers.Serializer[Any]):
    """A bid with all its economic terms; ``greatest_cost`` includes the fee and is held."""

    id = serializers.CharField()
    state = serializers.ChoiceField(choices=BidState.values)
    reason_code = serializers.CharField(allow_blank=True)
    reason_detail = serializers.CharField(allow_blank=True)
    placed_at = serializers.DateTimeField()
    moved_at = serializers.DateTimeField()
    currency = serializers.CharField()
    greatest_cost = DecimalText()
    auction = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=BidKind.values)
    time_in_force = serializers.ChoiceField(choices=TimeInForce.values)
    origin = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = DecimalText()
    limit_price = DecimalText()
    duration = DecimalText(allow_null=True)
    volume = DecimalText(allow_null=True)
    group = serializers.CharField(allow_null=True)
    latency_ms_max = DecimalText(allow_null=True)
    gbps = DecimalText()
    renewable_share_min = DecimalText()
    regions = serializers.ListField(child=serializers.CharField())
    accelerators = ChoiceSerializer(many=True)
    model = serializers.CharField(allow_null=True)
    dtype = serializers.CharField(allow_null=True)
    project = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


class BidFillSerializer(serializers.Serializer[Any]):
    """What a bid got in one period, and the clearing price there per accelerator-hour."""

    auction = serializers.CharField()
    site = serializers.CharField()
    accelerator = serializers.CharField()
    route = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = DecimalText()
    price = DecimalText(allow_null=True)


class BidEventSerializer(serializers.Serializer[Any]):
    """One step in a bid's story; which other members it has depends on the event."""

    at = serializers.DateTimeField()
    event = serializers.CharField()
    auction = serializers.CharField(required=False)
    answer = serializers.CharField(required=False)
    detail = serializers.CharField(required=False, allow_blank=True)
    filled_unit_hours = DecimalText(required=False)
    cheapest_price = DecimalText(required=False)
    contract = serializers.CharField(required=False)
    site = serializers.CharField(required=False)
    accelerator = serializers.CharField(required=False)
    reason_code = serializers.CharField(required=False)
    reason_detail = serializers.CharField(required=False, allow_blank=True)


class BidDetailSerializer(BidSerializer):
    """A bid with its story."""

    story = BidEventSerializer(many=True)
    fills = BidFillSerializer(many=True)


class BulkRequestSerializer(serializers.Serializer[Any]):
    """Bids to place at once; with ``atomic`` all of them or none."""

    bids = serializers.ListField(child=BidRequestSerializer(), min_length=1, max_length=BULK_MAX)
    atomic = serializers.BooleanField(required=False)


class BulkProblemSerializer(serializers.Serializer[Any]):
    """Why one bid of a bulk was not placed."""

    code = serializers.CharField()
    detail = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField())  # type: ignore[assignment]


class BulkAnswerSerializer(serializers.Serializer[Any]):
    """What became of one bid of a bulk, in the order in which they were sent."""

    status = serializers.IntegerField()
    bid = BidSerializer(required=False)
    problem = BulkProblemSerializer(required=False)


class BulkResponseSerializer(serializers.Serializer[Any]):
    """One answer per bid."""

    placed = serializers.IntegerField()
    answers = BulkAnswerSerializer(many=True)


class CancelRequestSerializer(serializers.Serializer[Any]):
    """Why a bid is taken back; nothing need be said."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)
