"""Auctions and what they published, as the API prints them. Read only."""

from typing import Any

from rest_framework import serializers

from accounts.web.fields import DecimalString, InstantField, PriceField, QuantityField
from exchange.foundation.money import MICROS
from exchange.models import AuctionState, CellPrice, Horizon
from exchange.models.auctions import PPM


class AuctionSerializer(serializers.Serializer[Any]):
    """An auction with its terms; times of steps not yet taken are null."""

    id = serializers.CharField(source="public_id")
    series = serializers.CharField(source="series.code")
    horizon = serializers.ChoiceField(source="series.horizon", choices=Horizon.choices)
    time_zone = serializers.CharField(source="series.time_zone")
    state = serializers.ChoiceField(choices=AuctionState.choices)
    opens_at = InstantField()
    closes_at = InstantField(help_text="the gate")
    starts_at = InstantField(help_text="of the first period")
    ends_at = InstantField(help_text="of the last period")
    period_minutes = serializers.IntegerField()
    periods = serializers.IntegerField()
    currency = serializers.CharField()
    price_cap = PriceField(source="price_cap_ticks")
    min_domestic_share = DecimalString(MICROS, source="min_domestic_share_micros", allow_null=True)
    buyer_fee = DecimalString(PPM, source="buyer_fee_ppm", help_text="share of the amount")
    seller_fee = DecimalString(PPM, source="seller_fee_ppm", help_text="share of the amount")
    opened_at = InstantField(allow_null=True)
    closed_at = InstantField(allow_null=True)
    cleared_at = InstantField(allow_null=True)
    published_at = InstantField(allow_null=True)
    voided_at = InstantField(allow_null=True)
    reason_code = serializers.CharField(allow_blank=True)
    reason_detail = serializers.CharField(allow_blank=True)


class CertificateSerializer(serializers.Serializer[Any]):
    """What an auction proved: no allocation could have been worth more than ``bound``.

    ``files`` are the result and, from ``book_opens_at`` on, the closed book as they were cleared;
    ``check_book`` checks them. Orders carry opaque ids and no names.
    """

    auction = serializers.CharField()
    complete = serializers.BooleanField(help_text="no time limit was hit")
    currency = serializers.CharField()
    welfare = serializers.CharField()
    bound = serializers.CharField()
    gap = serializers.CharField(help_text="(bound - welfare) / bound")
    domestic_share_price = serializers.CharField(help_text="per TFLOPS-hour")
    bids = serializers.IntegerField()
    offers = serializers.IntegerField()
    rejected_winners = serializers.ListField(child=serializers.CharField())
    engine = serializers.CharField()
    book_sha256 = serializers.CharField()
    result_sha256 = serializers.CharField()
    files = serializers.ListField(child=serializers.CharField())
    book_opens_at = InstantField(help_text="when everybody may have the files of the book")


class PriceSerializer(serializers.Serializer[Any]):
    """The clearing price of one accelerator-hour at a site in a period."""

    auction = serializers.CharField(source="auction.public_id")
    region = serializers.CharField(source="site.region.code")
    site = serializers.CharField(source="site.code")
    accelerator = serializers.CharField(source="accelerator.code")
    period = serializers.IntegerField()
    starts_at = serializers.SerializerMethodField()
    price = PriceField(source="price_ticks")

    def get_starts_at(self, row: CellPrice) -> str:
        """Return when the period begins."""
        return InstantField().to_representation(row.auction.period(row.period).start)


class PublicFillSerializer(serializers.Serializer[Any]):
    """Accelerators that somebody bought. Whose they are is not said."""

    auction = serializers.CharField(source="auction.public_id")
    origin = serializers.CharField(source="route.origin.code")
    region = serializers.CharField(source="site.region.code")
    site = serializers.CharField(source="site.code")
    accelerator = serializers.CharField(source="accelerator.code")
    route = serializers.CharField(source="route.code")
    starts_at = InstantField()
    ends_at = InstantField()
    quantity = QuantityField(source="quantity_lots")
    price = PriceField(source="price_ticks")
