"""The catalogue as OpenAPI describes it, and as it is printed."""

from typing import Any

from rest_framework import serializers

from accounts.web.fields import DecimalString
from exchange.foundation.money import MICROS
from exchange.models import Accelerator, AiModel, Region


class RegionSerializer(serializers.ModelSerializer[Region]):
    """A computing hub."""

    latitude = DecimalString(MICROS, source="latitude_micros")
    longitude = DecimalString(MICROS, source="longitude_micros")
    pue_max = DecimalString(MICROS, source="pue_micros_max")

    class Meta:
        model = Region
        fields = ["code", "name", "latitude", "longitude", "pue_max", "source"]


class AcceleratorSerializer(serializers.ModelSerializer[Accelerator]):
    """A chip model; FP16 dense TFLOPS. Grade C figures are unverified and not traded."""

    tflops = DecimalString(MICROS, source="tflops_micros", allow_null=True)
    watts = DecimalString(MICROS, source="watts_micros", allow_null=True)

    class Meta:
        model = Accelerator
        fields = [
            *("code", "name", "vendor", "vendor_country", "kind", "domestic", "year"),
            *("memory_gb", "tflops", "watts", "grade", "tradable", "note", "source"),
        ]


class AiModelSerializer(serializers.ModelSerializer[AiModel]):
    """An open-weight model."""

    class Meta:
        model = AiModel
        fields = [
            *("code", "name", "developer", "developer_country", "year", "params_total"),
            *("params_active", "context_tokens", "modality", "licence", "source"),
        ]


class FitSerializer(serializers.Serializer[Any]):
    """How many accelerators of a model one replica takes."""

    accelerator = serializers.CharField()
    needed = serializers.IntegerField()


class FitsSerializer(serializers.Serializer[Any]):
    """On what an AI model fits at a dtype, and how large its weights are."""

    dtype = serializers.CharField()
    weight_bytes = serializers.IntegerField()
    overhead_percent = serializers.IntegerField(help_text="of the weights, with the weights")
    fits = FitSerializer(many=True)


class AiModelDetailSerializer(AiModelSerializer):
    """An open-weight model, and what it fits on at each dtype."""

    dtypes = FitsSerializer(many=True)

    class Meta(AiModelSerializer.Meta):
        fields = [*AiModelSerializer.Meta.fields, "dtypes"]
