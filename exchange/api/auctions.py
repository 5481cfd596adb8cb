"""The open market: auctions, prices and fills. No key is needed, and what is sealed is not here."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.callers import Caller
from accounts.web.fields import InstantField
from accounts.web.pages import refused
from exchange.api.freshness import fresh
from exchange.api.market_serializers import (
    AuctionSerializer,
    CertificateSerializer,
    PriceSerializer,
    PublicFillSerializer,
)
from exchange.foundation.market_time import market_now
from exchange.models import (
    Auction,
    AuctionSeries,
    AuctionState,
    BidFill,
    CellPrice,
    ClearingResult,
    Horizon,
)
from exchange.queries.archive_files import archived_files, open_archived, public_files
from exchange.queries.catalogue import catalogue_now
from exchange.queries.certificates import certificate_of
from exchange.queries.market import public_fills
from exchange.queries.publications import book_opens_at

TAGS = ["market"]
Cells = QuerySet[Any]


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
    """What prices and fills can be narrowed down by.

    Names become numbers first: of a name behind two joins the database cannot tell how many rows
    have it, and reads them all where the newest page would do.
    """

    auction = django_filters.CharFilter(method="of_auction")
    series = django_filters.CharFilter(method="in_series")
    region = django_filters.CharFilter(method="in_region")
    site = django_filters.CharFilter(method="at_site")
    accelerator = django_filters.CharFilter(method="on_accelerator")
    period = django_filters.NumberFilter(field_name="period", min_value=0, max_value=10_000)

    def of_auction(self, rows: Cells, _name: str, public_id: str) -> Cells:
        """Cut to one auction."""
        found = Auction.objects.filter(public_id=public_id).values_list("pk", flat=True)
        return rows.filter(auction__in=list(found))

    def in_series(self, rows: Cells, _name: str, code: str) -> Cells:
        """Cut to the auctions of a series."""
        found = AuctionSeries.objects.filter(code=code).values_list("pk", flat=True)
        return rows.filter(auction__series__in=list(found))

    def in_region(self, rows: Cells, _name: str, code: str) -> Cells:
        """Cut to the sites of a region."""
        sites = catalogue_now().sites.values()
        return rows.filter(site__in=[site.pk for site in sites if site.region.code == code])

    def at_site(self, rows: Cells, _name: str, code: str) -> Cells:
        """Cut to one site."""
        site = catalogue_now().sites.get(code)
        return rows.filter(site=site.pk) if site else rows.none()

    def on_accelerator(self, rows: Cells, _name: str, code: str) -> Cells:
        """Cut to one accelerator."""
        chip = catalogue_now().accelerators.get(code)
        return rows.filter(accelerator=chip.pk) if chip else rows.none()


def _sort_of(request: Request, of_auction: str) -> str:
    """Return what a list is sorted by unless asked: without an auction the newest rows first.

    Rows of all auctions have one index, that of their numbers: sorted otherwise, a page would read
    the whole history. Raises ValidationError for another sort without an auction.
    """
    if request.query_params.get("auction"):
        return of_auction
    if request.query_params.get("sort", "id").removeprefix("-") != "id":
        raise refused("sort", "sort_invalid", "Without an auction only id or -id.")
    return "-id"


class PricesView(GenericAPIView[CellPrice]):
    """Clearing prices of published auctions."""

    public = True
    serializer_class = PriceSerializer
    filterset_class = CellFilter
    queryset = CellPrice.objects.none()
    sorts = ("period", "id")

    @extend_schema(operation_id="list_prices", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List prices: of one auction by period, of all the auction that was cleared last first."""
        self.sort = _sort_of(request, "period")
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
    sorts = ("starts_at", "id")

    @extend_schema(operation_id="list_fills", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List fills: of one auction the latest delivery first, of all the newest auction first."""
        self.sort = _sort_of(request, "-starts_at")
        page = self.paginate_queryset(self.filter_queryset(public_fills())) or []
        answer = self.get_paginated_response(PublicFillSerializer(page, many=True).data)
        return fresh(request, answer)
