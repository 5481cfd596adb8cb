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
from exchange.engine.shapes import Outcome
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.queries.bid_terms import BidTerms
from exchange.services.hindsight import Hindsight
from exchange.services.previews import Preview, preview_bid
from exchange.services.screening import Sieve


class SieveSerializer(serializers.Serializer[Any]):
    """One rule of the bid: the accelerator-hours that it excluded, and that it left."""

    constraint = serializers.CharField()
    excluded = DecimalText()
    left = DecimalText()


class PlacementSerializer(serializers.Serializer[Any]):
    """Where a part of the bid would have run; it may pause within the time."""

    site = serializers.CharField()
    accelerator = serializers.CharField()
    route = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    unit_hours = DecimalText()
    unit_price = DecimalText(help_text="of a unit-hour, delivery paid")


class HindsightSerializer(serializers.Serializer[Any]):
    """What the last published auction would have done with the bid, found without clearing again.

    The bid was moved back by ``moved_days`` to it. ``average_price`` is what a unit-hour of what
    is filled would have cost; if ``moves_prices``, at most, for others would have had to give way.
    ``cheapest_price`` is the least that a unit-hour cost anywhere the bid accepts;
    ``needed_price`` the lowest limit that would have carried all of it, null if none is known.
    ``changes`` each replace members of the body, and any one of them would have done.
    """

    auction = serializers.CharField()
    moved_days = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=[one.value for one in Outcome])
    filled_unit_hours = DecimalText()
    wanted_unit_hours = DecimalText()
    moves_prices = serializers.BooleanField()
    average_price = DecimalText(allow_null=True)
    cheapest_price = DecimalText(allow_null=True)
    needed_price = DecimalText(allow_null=True)
    placements = PlacementSerializer(many=True)
    changes = serializers.ListField(child=serializers.DictField())


class PreviewSerializer(serializers.Serializer[Any]):
    """What would become of a bid.

    ``bid`` is the body to post. ``screening`` are the bid's rules in order, each charged with what
    those before it left; ``decisive`` is the first that left nothing, null if the bid is served.
    ``needed_price`` is the lowest limit at which it would be served whole if nobody else bid.
    ``changes`` each replace members of the body, and any one of them would do. ``last_auction`` is
    what the auction published last in the series would have done with it; null if none covers it.
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
    last_auction = HindsightSerializer(allow_null=True)


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
        "last_auction": preview.hindsight and _print_hindsight(preview.hindsight),
    }


def _print_hindsight(hindsight: Hindsight) -> dict[str, Any]:
    answer, minutes = hindsight.answer, hindsight.auction.period_minutes
    return {
        "auction": hindsight.auction.public_id,
        "moved_days": hindsight.moved_days,
        "outcome": answer.outcome.value,
        "filled_unit_hours": _hours(answer.filled_lots, minutes),
        "wanted_unit_hours": _hours(answer.wanted_lots, minutes),
        "moves_prices": answer.moves_prices,
        "average_price": _price(answer.average),
        "cheapest_price": _price(answer.cheapest),
        "needed_price": None
        if answer.needed_ticks is None
        else format_scaled(answer.needed_ticks, scale=TICKS),
        "placements": [
            {
                "site": place.site,
                "accelerator": place.accelerator,
                "route": place.route,
                "starts_at": hindsight.moment(place.first),
                "ends_at": hindsight.moment(place.end),
                "unit_hours": _hours(place.unit_lots, minutes),
                "unit_price": _price(place.unit_cost),
            }
            for place in answer.placements
        ],
        "changes": list(hindsight.changes),
    }


def _price(micro_ticks: int | None) -> str | None:
    """Return a price in micro-units, rounded up, as text."""
    return None if micro_ticks is None else format_scaled(-(-micro_ticks // 1_000), scale=MICROS)


def _hours(lots: int, period_minutes: int) -> str:
    return format_scaled(lots * period_minutes // 60, scale=LOTS)


def print_body(terms: BidTerms) -> dict[str, Any]:
    """Return the body that places a bid on these terms, without what it leaves open."""
    said = print_terms(terms)
    if terms.ai_model_code is not None:
        del said["accelerators"]
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _print_sieve(sieve: Sieve, period_minutes: int) -> dict[str, str]:
    excluded, left = (_hours(lots, period_minutes) for lots in (sieve.excluded, sieve.left))
    return {"constraint": sieve.constraint, "excluded": excluded, "left": left}
