"""What a meter's own key may read: which devices it is to watch, and what they serve."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.roles import Scope
from accounts.web.caller import caller_of
from exchange.foundation.market_time import market_now
from settlement.models import Device, Meter
from settlement.queries.watches import devices_watched
from settlement.services.metering import MeterRevoked, NotAMeter

KEPT = timedelta(days=1)  # a meter that was away still reports for what ended meanwhile


class WatchedAssignmentSerializer(serializers.Serializer[Any]):
    """A contract that a device serves for a time."""

    contract = serializers.CharField(source="contract.public_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class WatchedDeviceSerializer(serializers.Serializer[Device]):
    """A device, by the serial number that tells a meter which one it is."""

    id = serializers.CharField(source="public_id")
    serial = serializers.CharField()
    accelerator = serializers.CharField(source="accelerator_code")
    capacity_lots = serializers.IntegerField(help_text="accelerators x 1,000")
    assignments = WatchedAssignmentSerializer(many=True, source="served")


class WatchSerializer(serializers.Serializer[Any]):
    """What a meter is to watch: all devices in service, with what they serve from yesterday on."""

    meter = serializers.CharField()
    party = serializers.CharField()
    site = serializers.CharField()
    devices = WatchedDeviceSerializer(many=True)


class MeterView(APIView):
    """The meter whose key is used."""

    scopes = {"GET": Scope.READINGS_WRITE}

    @extend_schema(operation_id="meter_watch", responses=WatchSerializer, tags=["settlement"])
    def get(self, request: Request) -> Response:
        """Return which devices this meter watches, and which contracts they serve when."""
        caller = caller_of(request)
        meters = Meter.objects.visible_to(caller).filter(organization_id=caller.organization_id)
        meter = meters.filter(public_id=caller.meter).first()
        if meter is None:
            raise NotAMeter("Only a meter's own key asks what to watch.")
        if meter.revoked_at is not None:
            raise MeterRevoked(f"meter {meter.public_id} was revoked")
        return Response(
            WatchSerializer(
                {
                    "meter": meter.public_id,
                    "party": meter.party,
                    "site": meter.site_code,
                    "devices": devices_watched(meter, since=market_now() - KEPT),
                }
            ).data
        )
