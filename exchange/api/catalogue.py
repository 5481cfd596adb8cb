"""The catalogue, open to everybody: regions, accelerators, AI models."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.api.catalogue_serializers import (
    AcceleratorSerializer,
    AiModelDetailSerializer,
    AiModelSerializer,
    RegionSerializer,
)
from exchange.foundation.money import MICROS
from exchange.models import Accelerator, AiModel, Region
from exchange.models.chips import DTYPE_BITS, SERVING_OVERHEAD_PERCENT
from exchange.queries.catalogue import Catalogue, catalogue_now
from exchange.services.bid_choices import choices_of_model

TAGS = ["catalogue"]


class AcceleratorFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    class Meta:
        model = Accelerator
        fields = ["kind", "domestic", "vendor", "grade", "tradable"]


class AiModelFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    class Meta:
        model = AiModel
        fields = ["developer", "modality", "year"]


@extend_schema_view(get=extend_schema(operation_id="list_regions", tags=TAGS))
class RegionsView(ListAPIView[Region]):
    """The computing hubs."""

    public = True
    serializer_class = RegionSerializer
    queryset = Region.objects.visible_to(None)
    sorts = ("code",)
    sort = "code"


@extend_schema_view(get=extend_schema(operation_id="list_accelerators", tags=TAGS))
class AcceleratorsView(ListAPIView[Accelerator]):
    """The chip models, also those that are not traded."""

    public = True
    serializer_class = AcceleratorSerializer
    filterset_class = AcceleratorFilter
    queryset = Accelerator.objects.visible_to(None)
    sorts = ("code",)
    sort = "code"


@extend_schema_view(get=extend_schema(operation_id="list_models", tags=TAGS))
class AiModelsView(ListAPIView[AiModel]):
    """The open-weight models."""

    public = True
    serializer_class = AiModelSerializer
    filterset_class = AiModelFilter
    queryset = AiModel.objects.visible_to(None)
    sorts = ("code",)
    sort = "code"


class AiModelView(APIView):
    """One model, and what it fits on."""

    public = True

    @extend_schema(operation_id="get_model", tags=TAGS, responses=AiModelDetailSerializer)
    def get(self, request: Request, code: str) -> Response:
        """Return a model with the accelerators that one replica takes, at each dtype."""
        model = get_object_or_404(AiModel.objects.visible_to(None), code=code)
        catalogue = catalogue_now()
        dtypes = [_fits(model, dtype, catalogue) for dtype in DTYPE_BITS]
        return Response({**AiModelSerializer(model).data, "dtypes": dtypes})


def _fits(model: AiModel, dtype: str, catalogue: Catalogue) -> dict[str, Any]:
    choices = choices_of_model(model, dtype, catalogue)
    pairs = zip(choices.accelerators, choices.factors_micros, strict=True)
    return {
        "dtype": dtype,
        "weight_bytes": model.weight_bytes(dtype=dtype),
        "overhead_percent": SERVING_OVERHEAD_PERCENT,
        "fits": [{"accelerator": code, "needed": factor // MICROS} for code, factor in pairs],
    }
