"""How an hour is printed with all that follows from its readings."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.web.fields import InstantField, QuantityField
from settlement.api.serializers import RunSerializer, TransferLineSerializer
from settlement.models import DeliveryPeriod, Party, PeriodState, Reading, Statement
from settlement.queries.hours import hour_of


class RunStorySerializer(serializers.Serializer[Any]):
    """One reckoning of the hour, and what came of it as far as the caller may see."""

    run = RunSerializer()
    provider_ms = serializers.IntegerField(source="run.provider_ms")
    buyer_ms = serializers.IntegerField(source="run.buyer_ms", allow_null=True)
    energy_mj = serializers.IntegerField(source="run.energy_mj", allow_null=True)
    inputs_sha256 = serializers.CharField(source="inputs_hex")
    transfers = serializers.SerializerMethodField()
    statement_lines = TransferLineSerializer(many=True, source="lines")
    drafts = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "string", "format": "uuid"}})
    def get_transfers(self, story: Any) -> list[str]:
        """Return the ids of the transfers that the run posted."""
        return [str(transfer.pk) for transfer in story.transfers]

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_drafts(self, story: Any) -> list[str]:
        """Return the drafts on which the run stands until they are finalized."""
        drafts: list[Statement] = story.drafts
        return [draft.public_id for draft in drafts]


class HourSerializer(serializers.Serializer[Any]):
    """One hour of a contract."""

    contract = serializers.CharField(source="period.contract.public_id")
    hour = serializers.SerializerMethodField()
    starts_at = InstantField(source="period.starts_at")
    ends_at = InstantField(source="period.ends_at")
    quantity = QuantityField(source="period.quantity_lots")
    state = serializers.ChoiceField(choices=PeriodState.choices, source="period.state")
    runs = RunStorySerializer(many=True)

    @extend_schema_field({"type": "string", "example": "20260105T100000Z"})
    def get_hour(self, told: dict[str, Any]) -> str:
        """Return the name of the hour in addresses."""
        period: DeliveryPeriod = told["period"]
        return hour_of(period.starts_at)


class ReadingSerializer(serializers.Serializer[Reading]):
    """What a meter said: counters since the device's last boot."""

    id = serializers.SerializerMethodField()
    meter = serializers.CharField(source="meter.public_id")
    party = serializers.ChoiceField(choices=Party.choices, source="meter.party")
    device = serializers.CharField(source="device.public_id")
    boot_id = serializers.UUIDField()
    seq = serializers.IntegerField()
    starts_at = InstantField()
    ends_at = InstantField()
    accel_ms_total = serializers.IntegerField()
    energy_mj_total = serializers.IntegerField(allow_null=True)
    util_ppm = serializers.IntegerField(allow_null=True)
    quality = serializers.ChoiceField(choices=Reading.Quality.choices)

    @extend_schema_field({"type": "string"})
    def get_id(self, reading: Reading) -> str:
        """Return the id that the meter gave its event."""
        events: dict[int, str] = self.context.get("events", {})
        return events.get(reading.pk, "")
