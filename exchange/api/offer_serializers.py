"""Offers, capacity and maintenance as OpenAPI describes them."""

from typing import Any

from rest_framework import serializers

from exchange.api.bid_serializers import DecimalText
from exchange.models import OfferState


class OfferRequestSerializer(serializers.Serializer[Any]):
    """An offer to list: at a site of one's own, so many accelerators from one hour to another."""

    site = serializers.CharField()
    accelerator = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = DecimalText()
    price = DecimalText(help_text="the lowest per accelerator-hour")
    label = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]
    draft = serializers.BooleanField(required=False)


class OfferEditSerializer(serializers.Serializer[Any]):
    """The terms to change; the others stay."""

    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    quantity = DecimalText(required=False)
    price = DecimalText(required=False)
    label = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]


class OfferSerializer(serializers.Serializer[Any]):
    """An offer in its current version."""

    id = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=OfferState.values)
    reason_code = serializers.CharField(allow_blank=True)
    reason_detail = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    site = serializers.CharField()
    region = serializers.CharField()
    accelerator = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = DecimalText()
    price = DecimalText()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


class OfferVersionSerializer(serializers.Serializer[Any]):
    """The terms as they stood from one edit to the next."""

    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    quantity = DecimalText()
    price = DecimalText()


class OfferDetailSerializer(OfferSerializer):
    """An offer with all its versions."""

    versions = OfferVersionSerializer(many=True)


class WithdrawRequestSerializer(serializers.Serializer[Any]):
    """Why an offer is withdrawn; nothing need be said."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=200)


class ImportSerializer(serializers.Serializer[Any]):
    """The offers that a file listed, then those it changed; and how many rows said nothing new."""

    offers = OfferSerializer(many=True)
    unchanged = serializers.IntegerField()


class SegmentSerializer(serializers.Serializer[Any]):
    """A stretch of time in which nothing changes, in accelerators and in PFLOPS (FP16 dense)."""

    site = serializers.CharField()
    region = serializers.CharField()
    accelerator = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    standing = DecimalText()
    maintenance = DecimalText()
    contracted = DecimalText()
    offered = DecimalText()
    free = DecimalText()
    standing_pflops = DecimalText()


class CapacitySerializer(serializers.Serializer[Any]):
    """What the caller's sites have, hour by hour."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    data = SegmentSerializer(many=True)  # type: ignore[assignment]


class MaintenanceRequestSerializer(serializers.Serializer[Any]):
    """Accelerators that will be down: all of a site, one model, or so many of it."""

    site = serializers.CharField()
    accelerator = serializers.CharField(required=False, allow_null=True)
    quantity = DecimalText(required=False, allow_null=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=200)


class MaintenanceSerializer(serializers.Serializer[Any]):
    """A planned window; ``cancelled_at`` is set when it was called off."""

    id = serializers.CharField()
    site = serializers.CharField()
    accelerator = serializers.CharField(allow_null=True)
    quantity = DecimalText(allow_null=True)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    cancelled_at = serializers.DateTimeField(allow_null=True)
