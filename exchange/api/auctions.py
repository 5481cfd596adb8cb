"""The open market: auctions, prices and fills. No key is needed, and what is sealed is not here."""

from typing import Any

import django_filters
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.callers import Caller
from accounts.web.fields import InstantField
from exchange.api.freshness import fresh
from exchange.api.market_serializers import (
    AuctionSerializer,
    CertificateSerializer,
    PriceSerializer,
    PublicFillSerializer,
)
from exchange.foundation.market_time import market_now
from exchange.models import Auction, AuctionState, BidFill, CellPrice, ClearingResult, Horizon
from exchange.queries.archive_files import archived_files, open_archived, public_files
from exchange.queries.certificates import certificate_of
from exchange.queries.market import public_fills
from exchange.queries.publications import book_opens_at

TAGS = ["market"]


def _caller(request: Request) -> Caller | None:
    return request.auth if isinstance(request.auth, Caller) else None


class AuctionFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Which auctions to list."""

    state = django_filters.MultipleChoiceFilter(choices=AuctionState.choices)
    series = django_filters.CharFilter(field_name="series__code")
    horizon = django_filters.ChoiceFilter(field_name="series__horizon", choices=Horizon.choices)
    starts_from = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="gte")
    starts_before = django_filters.IsoDateTimeFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Auction
        fields: list[str] = []


class AuctionsView(GenericAPIView[Auction]):
    """All auctions, from the announced to the published."""

    public = True
    serializer_class = AuctionSerializer
    filterset_class = AuctionFilter
    queryset = Auction.objects.none()
    sorts = ("closes_at",)

    @extend_schema(operation_id="list_auctions", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List auctions, the latest gate first."""
        rows = Auction.objects.visible_to(_caller(request)).select_related("series")
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        answer = self.get_paginated_response(AuctionSerializer(page, many=True).data)
        return fresh(request, answer)


class AuctionView(APIView):
    """One auction."""

    public = True

    @extend_schema(operation_id="get_auction", tags=TAGS, responses=AuctionSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return an auction with its terms and where it stands."""
        rows = Auction.objects.visible_to(_caller(request)).select_related("series")
        auction = get_object_or_404(rows, public_id=public_id)
        return fresh(request, Response(AuctionSerializer(auction).data))


class CertificateView(APIView):
    """The proof of one auction."""

    public = True

    @extend_schema(operation_id="get_certificate", tags=TAGS, responses=CertificateSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return what a published auction proved, and the files to check it with."""
        results = ClearingResult.objects.visible_to(_caller(request)).select_related("auction")
        result = get_object_or_404(results, auction__public_id=public_id)
        found: dict[str, Any] = certificate_of(result)
        found["files"] = [
            request.build_absolute_uri(f"archive/{file}") for file in _files_of(request, result)
        ]
        opens_at = book_opens_at(result.auction)
        found["book_opens_at"] = InstantField().to_representation(opens_at)
        return fresh(request, Response(found))


class ArchiveView(APIView):
    """The closed book and its result, file by file."""

    public = True

    @extend_schema(
        operation_id="get_archived_file",
        tags=TAGS,
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, public_id: str, file: str) -> FileResponse:
        """Return one file of a published auction's archive."""
        results = ClearingResult.objects.visible_to(_caller(request)).select_related("auction")
        result = get_object_or_404(results, auction__public_id=public_id)
        stream = open_archived(result, file) if file in _files_of(request, result) else None
        if stream is None:
            raise Http404
        return FileResponse(stream, as_attachment=True, filename=file.replace("/", "-"))


def _files_of(request: Request, result: ClearingResult) -> list[str]:
    """Return the files that the caller may have: auditors and operators need not wait."""
    caller = _caller(request)
    if caller is not None and caller.sees_all:
        return archived_files(result)
    return public_files(result, now=market_now())


class CellFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """What prices and fills can be narrowed down by."""

    auction = django_filters.CharFilter(field_name="auction__public_id")
    series = django_filters.CharFilter(field_name="auction__series__code")
    region = django_filters.CharFilter(field_name="site__region__code")
    site = django_filters.CharFilter(field_name="site__code")
    accelerator = django_filters.CharFilter(field_name="accelerator__code")
    period = django_filters.NumberFilter(field_name="period", min_value=0, max_value=10_000)


class PricesView(GenericAPIView[CellPrice]):
    """Clearing prices of published auctions."""

    public = True
    serializer_class = PriceSerializer
    filterset_class = CellFilter
    queryset = CellPrice.objects.none()
    sorts = ("period",)
    sort = "period"

    @extend_schema(operation_id="list_prices", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List prices, by period."""
        rows = CellPrice.objects.visible_to(None).filter(auction__state=AuctionState.PUBLISHED)
        rows = rows.select_related("auction", "site__region", "accelerator")
        page = self.paginate_queryset(self.filter_queryset(rows)) or []
        answer = self.get_paginated_response(PriceSerializer(page, many=True).data)
        return fresh(request, answer)


class FillsView(GenericAPIView[BidFill]):
    """What was bought in published auctions, without names."""

    public = True
    serializer_class = PublicFillSerializer
    filterset_class = CellFilter
    queryset = BidFill.objects.none()
    sorts = ("starts_at",)

    @extend_schema(operation_id="list_fills", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List fills, the latest delivery first."""
        page = self.paginate_queryset(self.filter_queryset(public_fills())) or []
        answer = self.get_paginated_response(PublicFillSerializer(page, many=True).data)
        return fresh(request, answer)
