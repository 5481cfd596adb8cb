"""The providers' door: list, edit, pause and withdraw offers, one by one or by file."""

from http import HTTPStatus
from typing import IO, Any

import django_filters
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models.callers import Caller
from accounts.web.caller import caller_of
from accounts.web.idempotency import idempotent
from exchange.api.etags import etag_of, version_of
from exchange.api.offer_printing import print_offer, print_version
from exchange.api.offer_serializers import (
    ImportSerializer,
    OfferDetailSerializer,
    OfferEditSerializer,
    OfferRequestSerializer,
    OfferSerializer,
    WithdrawRequestSerializer,
)
from exchange.models import Offer, OfferState
from exchange.queries.offer_files import offer_lines
from exchange.services import offers
from exchange.services.body_reading import read_offer_body, read_reason
from exchange.services.csv_rows import BYTES_MAX
from exchange.services.offer_imports import import_offers

TAGS = ["offers"]
EXAMPLE = {
    "site": "bj-1",
    "accelerator": "h100-sxm5-80gb",
    "starts_at": "2026-11-24T00:00:00+08:00",
    "ends_at": "2026-12-24T00:00:00+08:00",
    "quantity": "64",
    "price": "12.500",
}


class CsvParser(BaseParser):
    """Hands a CSV file on as it came, up to one byte more than any may have."""

    media_type = "text/csv"

    def parse(  # type: ignore[override] # the stubs know of parsers of forms alone
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> bytes:
        """Return the bytes of the body."""
        return stream.read(BYTES_MAX + 1)


class OfferFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Which of one's offers to list."""

    state = django_filters.MultipleChoiceFilter(choices=OfferState.choices)
    site = django_filters.CharFilter(field_name="site__code")
    region = django_filters.CharFilter(field_name="site__region__code")
    accelerator = django_filters.CharFilter(field_name="accelerator__code")
    running_at = django_filters.IsoDateTimeFilter(method="running")

    class Meta:
        model = Offer
        fields: list[str] = []

    def running(self, rows: QuerySet[Offer], name: str, value: Any) -> QuerySet[Offer]:
        """Keep offers whose current terms cover a moment."""
        return rows.filter(terms__starts_at__lte=value, terms__ends_at__gt=value)


class OffersView(GenericAPIView[Offer]):
    """All offers of the caller."""

    scopes = {"GET": "offers:read", "POST": "offers:write"}
    serializer_class = OfferSerializer
    filterset_class = OfferFilter
    queryset = Offer.objects.none()  # for the schema; every answer is cut to its caller

    @extend_schema(operation_id="list_offers", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List offers, the newest first."""
        rows = self.filter_queryset(
            Offer.objects.visible_to(caller_of(request)).of_sites().with_terms()
        )
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([print_offer(offer) for offer in page])

    @extend_schema(
        operation_id="create_offer",
        tags=TAGS,
        request=OfferRequestSerializer,
        responses={201: OfferSerializer},
        examples=[OpenApiExample("a month of 64 chips", value=EXAMPLE, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """List an offer; the site must have that much free, hour by hour."""
        body, draft = read_offer_body(request.data)
        caller = caller_of(request)
        offer = offers.create_offer(body, caller=caller, draft=draft)
        return _answer(offer, caller, HTTPStatus.CREATED)


class OfferView(APIView):
    """One offer."""

    scopes = {"GET": "offers:read", "PATCH": "offers:write"}

    @extend_schema(operation_id="get_offer", tags=TAGS, responses=OfferDetailSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return an offer with all its versions; the ETag is needed to edit it."""
        rows = Offer.objects.visible_to(caller_of(request)).of_sites().with_terms()
        offer = rows.filter(public_id=public_id).first()
        if offer is None or offer.terms is None:
            raise offers.OfferNotFound(f"there is no offer {public_id}")
        versions = [print_version(version) for version in offer.versions.order_by("number")]
        etag = {"ETag": etag_of(offer.terms.number)}
        return Response({**print_offer(offer), "versions": versions}, headers=etag)

    @extend_schema(
        operation_id="edit_offer",
        tags=TAGS,
        request=OfferEditSerializer,
        responses={200: OfferSerializer},
    )
    def patch(self, request: Request, public_id: str) -> Response:
        """Change terms, as a new version; what was sold stays sold on its own terms."""
        version, caller = version_of(request), caller_of(request)
        offer = offers.edit_offer(public_id, request.data, version=version, caller=caller)
        return _answer(offer, caller, HTTPStatus.OK)


class PauseOfferView(APIView):
    """Keeps an offer out of the books."""

    scopes = {"POST": "offers:write"}

    @extend_schema(
        operation_id="pause_offer", tags=TAGS, request=None, responses={200: OfferSerializer}
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Keep an active offer out of the books that close from now on."""
        caller = caller_of(request)
        return _answer(offers.pause_offer(public_id, caller=caller), caller, HTTPStatus.OK)


class ActivateOfferView(APIView):
    """Lets an offer into the books."""

    scopes = {"POST": "offers:write"}

    @extend_schema(
        operation_id="activate_offer", tags=TAGS, request=None, responses={200: OfferSerializer}
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Let a draft or paused offer into the books; the site must have that much free now."""
        caller = caller_of(request)
        return _answer(offers.activate_offer(public_id, caller=caller), caller, HTTPStatus.OK)


class WithdrawOfferView(APIView):
    """Ends an offer."""

    scopes = {"POST": "offers:write"}

    @extend_schema(
        operation_id="withdraw_offer",
        tags=TAGS,
        request=WithdrawRequestSerializer,
        responses={200: OfferSerializer},
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """End an offer; what it sold stays sold."""
        reason, caller = read_reason(request.data), caller_of(request)
        offer = offers.withdraw_offer(public_id, caller=caller, reason=reason)
        return _answer(offer, caller, HTTPStatus.OK)


class OfferFileView(APIView):
    """Offers as a CSV file, in and out."""

    scopes = {"GET": "offers:read", "POST": "offers:write"}
    parser_classes = [CsvParser]

    @extend_schema(
        operation_id="export_offers",
        tags=TAGS,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Return all offers as a CSV file, which an import takes as it is."""
        rows = Offer.objects.visible_to(caller_of(request)).of_sites().with_terms().order_by("pk")
        lines = offer_lines(rows.iterator(chunk_size=1_000))
        headers = {"Content-Disposition": 'attachment; filename="offers.csv"'}
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    @extend_schema(
        operation_id="import_offers",
        tags=TAGS,
        request={"text/csv": OpenApiTypes.STR},
        responses={201: ImportSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """List a file's new offers and edit those that it names; all of it is done, or nothing.

        A refusal names row and column of every fault.
        """
        caller = caller_of(request)
        sent: object = request.data  # an empty mapping where there was no body at all
        done = import_offers(sent if isinstance(sent, bytes) else b"", caller=caller)
        named = _with_names([offer.pk for offer in (*done.listed, *done.changed)], caller)
        told = {"offers": [print_offer(offer) for offer in named], "unchanged": done.unchanged}
        return Response(told, HTTPStatus.CREATED)


def _with_names(numbers: list[int], caller: Caller) -> list[Offer]:
    rows = Offer.objects.visible_to(caller).with_terms().in_bulk(numbers)
    return [rows[number] for number in numbers]


def _answer(offer: Offer, caller: Caller, status: HTTPStatus) -> Response:
    (named,) = _with_names([offer.pk], caller)
    assert named.terms is not None
    headers = {"ETag": etag_of(named.terms.number)}
    if status == HTTPStatus.CREATED:
        headers["Location"] = f"/api/v1/offers/{named.public_id}"
    return Response(print_offer(named), status, headers=headers)
