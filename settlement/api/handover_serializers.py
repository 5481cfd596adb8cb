"""Meters, devices and access notes as the API takes and prints them."""

from typing import Any

from rest_framework import serializers

from accounts.web.fields import InstantField, QuantityField
from accounts.web.serializers import StrictSerializer
from settlement.models import Party
from settlement.models.contracts import CODE_LENGTH_MAX
from settlement.models.metering import SERIAL_LENGTH_MAX
from settlement.services.access_notes import TEXT_LENGTH_MAX
from settlement.services.handover import DEVICES_AT_ONCE


class MeterRequestSerializer(StrictSerializer):
    """A program that will report what devices at a site delivered."""

    party = serializers.ChoiceField(choices=Party.choices)
    site = serializers.CharField(max_length=CODE_LENGTH_MAX)


class MeterSerializer(serializers.Serializer[Any]):
    """A meter; its id is the source of its events."""

    id = serializers.CharField(source="public_id")
    party = serializers.ChoiceField(choices=Party.choices)
    site = serializers.CharField(source="site_code")
    enrolled_at = InstantField()
    revoked_at = InstantField(allow_null=True)


class MeterWithTokenSerializer(MeterSerializer):
    """A new meter with the key that it reports with."""

    token = serializers.CharField(help_text="key_...; shown this once")


class RevokeRequestSerializer(StrictSerializer):
    """Why something is revoked."""

    reason = serializers.CharField(max_length=200)


class UnassignRequestSerializer(RevokeRequestSerializer):
    """Which device a contract is to do without, and why."""

    device = serializers.CharField()


class DevicesRequestSerializer(StrictSerializer):
    """Machines or slices of one kind at one site, by their serial numbers."""

    site = serializers.CharField(max_length=CODE_LENGTH_MAX)
    accelerator = serializers.CharField(max_length=CODE_LENGTH_MAX)
    serials = serializers.ListField(
        child=serializers.CharField(max_length=SERIAL_LENGTH_MAX),
        min_length=1,
        max_length=DEVICES_AT_ONCE,
    )
    capacity = QuantityField(minimum=1, help_text="accelerators in each")


class DeviceSerializer(serializers.Serializer[Any]):
    """What can be assigned to a contract."""

    id = serializers.CharField(source="public_id")
    site = serializers.CharField(source="site_code")
    accelerator = serializers.CharField(source="accelerator_code")
    serial = serializers.CharField()
    capacity = QuantityField(source="capacity_lots")
    enrolled_at = InstantField()
    revoked_at = InstantField(allow_null=True)


class DevicesSerializer(serializers.Serializer[Any]):
    """Devices, in the order of their serial numbers as they were given."""

    devices = DeviceSerializer(many=True)


class AssignmentRequestSerializer(StrictSerializer):
    """A device for a contract; without times for all of the contract's."""

    device = serializers.CharField()
    starts_at = InstantField(required=False)
    ends_at = InstantField(required=False)


class AssignmentSerializer(serializers.Serializer[Any]):
    """A device serves a contract for a time."""

    device = serializers.CharField(source="device.public_id")
    serial = serializers.CharField(source="device.serial")
    capacity = QuantityField(source="device.capacity_lots")
    starts_at = InstantField()
    ends_at = InstantField()
    revoked_at = InstantField(allow_null=True)


class NoteRequestSerializer(StrictSerializer):
    """How to reach the machines, in the provider's own words."""

    text = serializers.CharField(max_length=TEXT_LENGTH_MAX, trim_whitespace=False)


class NoteSerializer(serializers.Serializer[Any]):
    """That a note was written; its text is for the buyer's traders."""

    version = serializers.IntegerField()
    written_at = InstantField()


class NoteTextSerializer(serializers.Serializer[Any]):
    """The note's text. That it was read is on record."""

    text = serializers.CharField()


class NoteReadSerializer(serializers.Serializer[Any]):
    """Somebody was shown a version of the note."""

    version = serializers.IntegerField()
    reader = serializers.CharField(
        source="reader_name", help_text="the person or key; empty for the other party's"
    )
    read_at = InstantField()
