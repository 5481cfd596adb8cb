"""The buyers' door: place, list, follow and take back bids."""

from http import HTTPStatus
from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from orjson import Fragment, dumps
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.web.caller import caller_of
from accounts.web.idempotency import idempotent
from accounts.web.parsers import LongJSONParser
from accounts.web.problems import refusal_of
from exchange.api.bid_examples import BID_EXAMPLES, BULK_EXAMPLES
from exchange.api.bid_serializers import (
    BidDetailSerializer,
    BidRequestSerializer,
    BidSerializer,
    BulkRequestSerializer,
    BulkResponseSerializer,
    CancelRequestSerializer,
)
from exchange.api.printing import print_bid, print_event, print_fill
from exchange.models import Bid, BidKind, BidState, TimeInForce
from exchange.queries.bid_terms import BidCard, card_of
from exchange.queries.bids import bids_with_names, events_of, fills_of
from exchange.services.bids import BidNotFound, cancel_bid, place_bid
from exchange.services.body_reading import read_bulk, read_reason
from exchange.services.bulk_bids import Answer, place_bids

TAGS = ["bids"]


class BidFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library is untyped
    """Which of one's bids to list."""

    state = django_filters.MultipleChoiceFilter(choices=BidState.choices)
    kind = django_filters.ChoiceFilter(choices=BidKind.choices)
    time_in_force = django_filters.ChoiceFilter(choices=TimeInForce.choices)
    auction = django_filters.CharFilter(field_name="auction__public_id")
    origin = django_filters.CharFilter(field_name="origin__code")
    group = django_filters.CharFilter()
    project = django_filters.CharFilter()
    placed_from = django_filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte")
    placed_before = django_filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt")

    class Meta:
        model = Bid
        fields: list[str] = []


class BidsView(GenericAPIView[Bid]):
    """All bids of the caller."""

    scopes = {"GET": "bids:read", "POST": "bids:write"}
    serializer_class = BidSerializer
    filterset_class = BidFilter
    queryset = Bid.objects.none()  # for the schema; every answer is cut to its caller
    sorts = ("placed_at",)

    @extend_schema(operation_id="list_bids", tags=TAGS)
    def get(self, request: Request) -> Response:
        """List bids, the newest first."""
        rows = self.filter_queryset(bids_with_names(caller_of(request)))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([print_bid(card_of(bid)) for bid in page])

    @extend_schema(
        operation_id="place_bid",
        tags=TAGS,
        request=BidRequestSerializer,
        responses={201: BidSerializer},
        examples=[
            OpenApiExample(name, value=body, request_only=True)
            for name, body in BID_EXAMPLES.items()
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Place a bid and hold the most it can cost."""
        card = place_bid(request.data, caller=caller_of(request))
        return _created(print_bid(card))


class BulkBidsView(APIView):
    """Many bids at once."""

    scopes = {"POST": "bids:write"}
    parser_classes = [LongJSONParser]

    @extend_schema(
        operation_id="place_bids",
        tags=TAGS,
        request=BulkRequestSerializer,
        responses={200: BulkResponseSerializer},
        examples=[
            OpenApiExample(name, value=body, request_only=True)
            for name, body in BULK_EXAMPLES.items()
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Place up to 1,000 bids; each is answered on its own, in order."""
        bulk = read_bulk(request.data)
        printed: dict[str, Fragment] = {}

        def print_placed(card: BidCard) -> None:
            printed[card.public_id] = Fragment(dumps(_item(card)))

        caller = caller_of(request)
        answers = place_bids(bulk.bodies, caller=caller, atomic=bulk.atomic, meanwhile=print_placed)
        items = [
            printed[answer.public_id] if isinstance(answer, BidCard) else _item(answer)
            for answer in answers
        ]
        return Response({"placed": len(printed), "answers": items})


class BidView(APIView):
    """One bid."""

    scopes = {"GET": "bids:read"}

    @extend_schema(operation_id="get_bid", tags=TAGS, responses=BidDetailSerializer)
    def get(self, request: Request, public_id: str) -> Response:
        """Return a bid with its story: every step, every fill with its price, every contract."""
        caller = caller_of(request)
        bid = bids_with_names(caller).filter(public_id=public_id).first()
        if bid is None:
            raise BidNotFound(f"there is no bid {public_id}")
        story = [print_event(event) for event in events_of(bid, caller)]
        fills = [print_fill(fill) for fill in fills_of(bid, caller)]
        return Response({**print_bid(card_of(bid)), "story": story, "fills": fills})


class CancelBidView(APIView):
    """Takes a bid back."""

    scopes = {"POST": "bids:write"}

    @extend_schema(
        operation_id="cancel_bid",
        tags=TAGS,
        request=CancelRequestSerializer,
        responses={200: BidSerializer},
    )
    @idempotent
    def post(self, request: Request, public_id: str) -> Response:
        """Take a bid back before its gate closes; its money is free again."""
        reason = read_reason(request.data)
        bid = cancel_bid(public_id, caller=caller_of(request), reason=reason)
        return Response(print_bid(card_of(bid)))


def _created(bid: dict[str, Any]) -> Response:
    headers = {"Location": f"/api/v1/bids/{bid['id']}"}
    return Response(bid, HTTPStatus.CREATED, headers=headers)


def _item(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, BidCard):
        return {"status": int(HTTPStatus.CREATED), "bid": print_bid(answer)}
    row = refusal_of(answer)
    assert row is not None, f"{type(answer).__name__} is not in the table of refusals"
    status, code = row
    errors = getattr(answer, "errors", [])
    problem = {"code": code, "detail": str(answer), "errors": errors}
    return {"status": int(status), "problem": problem}
