"""What would become of a bid: no side effects."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.web.caller import caller_of
from exchange.api.bid_examples import BID_EXAMPLES
from exchange.api.bid_serializers import BidRequestSerializer, DecimalText
from exchange.api.printing import print_terms
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.queries.bid_terms import BidTerms
from exchange.services.previews import Preview, preview_bid
from exchange.services.screening import Sieve


class SieveSerializer(serializers.Serializer[Any]):
    """One rule of the bid: the accelerator-hours that it excluded, and that it left."""

    constraint = serializers.CharField()
    excluded = DecimalText()
    left = DecimalText()


class PreviewSerializer(serializers.Serializer[Any]):
    """What would become of a bid.

    ``bid`` is the body to post. ``screening`` are the bid's rules in order, each charged with what
    those before it left; ``decisive`` is the first that left nothing, null if the bid is served.
    ``needed_price`` is the lowest limit at which it would be served whole if nobody else bid.
    ``changes`` each replace members of the body, and any one of them would do.
    """

    can_be_served = serializers.BooleanField()
    is_covered = serializers.BooleanField()
    bid = BidRequestSerializer()
    currency = serializers.CharField()
    cost = DecimalText()
    fee = DecimalText()
    greatest_cost = DecimalText(help_text="cost and fee: what is held")
    available = DecimalText()
    needed_price = DecimalText(allow_null=True)
    decisive = serializers.CharField(allow_null=True)
    screening = SieveSerializer(many=True)
    changes = serializers.ListField(child=serializers.DictField())


class BidPreviewsView(APIView):
    """Previews of bids."""

    scopes = {"POST": "bids:read"}

    @extend_schema(
        operation_id="preview_bid",
        tags=["bids"],
        request=BidRequestSerializer,
        responses={200: PreviewSerializer},
        examples=[
            OpenApiExample(name, value=body, request_only=True)
            for name, body in BID_EXAMPLES.items()
        ],
    )
    def post(self, request: Request) -> Response:
        """Return the exact body to post with its greatest cost, or what stands against it."""
        preview = preview_bid(request.data, caller=caller_of(request))
        return Response(print_preview(preview))


def print_preview(preview: Preview) -> dict[str, Any]:
    """Return a preview as the API answers it."""
    cost, needed = preview.cost, preview.screening.limit_ticks
    return {
        "can_be_served": preview.served,
        "is_covered": preview.covered,
        "bid": print_body(preview.terms),
        "currency": preview.terms.currency,
        "cost": format_scaled(cost.cost_micros, scale=MICROS),
        "fee": format_scaled(cost.fee_micros, scale=MICROS),
        "greatest_cost": format_scaled(cost.hold_micros, scale=MICROS),
        "available": format_scaled(preview.available_micros, scale=MICROS),
        "needed_price": None if needed is None else format_scaled(needed, scale=TICKS),
        "decisive": None if preview.served else preview.screening.decisive,
        "screening": [
            _print_sieve(sieve, preview.period_minutes) for sieve in preview.screening.sieves
        ],
        "changes": list(preview.changes),
    }


def print_body(terms: BidTerms) -> dict[str, Any]:
    """Return the body that places a bid on these terms, without what it leaves open."""
    said = print_terms(terms)
    if terms.ai_model_code is not None:
        del said["accelerators"]
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _print_sieve(sieve: Sieve, period_minutes: int) -> dict[str, str]:
    excluded, left = (
        format_scaled(lots * period_minutes // 60, scale=LOTS)
        for lots in (sieve.excluded, sieve.left)
    )
    return {"constraint": sieve.constraint, "excluded": excluded, "left": left}
