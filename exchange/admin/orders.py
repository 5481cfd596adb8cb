from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Bid, BidAnswer, Offer, OfferVersion
from settlement.admin.inlines import ReadOnlyInline
from settlement.admin.showing import joined, link, link_to_list, money, table
from settlement.models import Contract, Hold


class BidAnswerInline(ReadOnlyInline, admin.TabularInline[BidAnswer, Bid]):
    """What each auction said to the bid, and why."""

    model = BidAnswer
    readonly_fields = ["auction", "answer", "detail", "filled_lot_minutes", "cheapest_micros"]


@admin.register(Bid)
class BidAdmin(ReadOnlyAdmin, admin.ModelAdmin[Bid]):
    """Orders to buy, from acceptance to their end."""

    list_display = [
        "public_id", "organization", "kind", "time_in_force", "state", "auction", "origin",
        "quantity", "limit", "starts_at", "ends_at", "placed_at",
    ]  # fmt: skip
    list_select_related = ["organization", "auction", "origin"]
    list_filter = ["state", "kind", "time_in_force", "reason_code", "origin"]
    search_fields = [
        "=public_id", "=auction__public_id", "=organization__public_id", "organization__name",
        "=group", "=label",
    ]  # fmt: skip
    date_hierarchy = "placed_at"
    inlines = [BidAnswerInline]
    readonly_fields = ["story", "quantity", "limit", "greatest_cost", "runs_on"]
    exclude = ["accelerators", "factors_micros", "quantity_lots", "limit_ticks"]

    @admin.display(description="units", ordering="quantity_lots")
    def quantity(self, bid: Bid) -> str:
        """Show the quantity in units."""
        return format_scaled(bid.quantity_lots, scale=LOTS)

    @admin.display(description="limit price", ordering="limit_ticks")
    def limit(self, bid: Bid) -> str:
        """Show the limit per unit-hour."""
        return format_scaled(bid.limit_ticks, scale=TICKS)

    @admin.display(description="greatest cost")
    def greatest_cost(self, bid: Bid) -> str:
        """Show what was held for it, fee included."""
        return money(bid.greatest_cost_micros)

    @admin.display(description="runs on")
    def runs_on(self, bid: Bid) -> SafeString:
        """Show the acceptable accelerators with their factors."""
        chips = [
            [code, format_scaled(micros, scale=MICROS)] for code, micros in bid.factors.items()
        ]
        return table(["accelerator", "factor"], chips)

    @admin.display(description="its story")
    def story(self, bid: Bid) -> SafeString:
        """Lead to its money, its trades and its contracts."""
        return joined(
            [
                SafeString(link(Hold.objects.filter(key=bid.hold_key).first(), "hold")),
                link_to_list(bid.fills.model, "trades", bid__public_id=bid.public_id),
                link_to_list(Contract, "contracts", q=bid.public_id),
            ]
        )


class OfferVersionInline(ReadOnlyInline, admin.TabularInline[OfferVersion, Offer]):
    """The offer's terms from edit to edit."""

    model = OfferVersion
    fk_name = "offer"
    readonly_fields = [
        "number", "starts_at", "ends_at", "quantity_lots", "price_ticks", "actor",
    ]  # fmt: skip


@admin.register(Offer)
class OfferAdmin(ReadOnlyAdmin, admin.ModelAdmin[Offer]):
    """Orders to sell, with every version of their terms."""

    list_display = [
        "public_id", "provider", "site", "accelerator", "state", "quantity", "price", "starts_at",
        "ends_at",
    ]  # fmt: skip
    list_select_related = ["provider", "site", "accelerator", "terms"]
    list_filter = ["state", "accelerator", "site__region"]
    search_fields = [
        "=public_id", "=provider__public_id", "provider__name", "=site__code", "=label",
    ]  # fmt: skip
    date_hierarchy = "created_at"
    inlines = [OfferVersionInline]
    readonly_fields = ["sold"]

    @admin.display(description="accelerators")
    def quantity(self, offer: Offer) -> str:
        """Show the quantity of the current version."""
        return format_scaled(offer.terms.quantity_lots, scale=LOTS) if offer.terms else ""

    @admin.display(description="lowest price")
    def price(self, offer: Offer) -> str:
        """Show the price of the current version, per accelerator-hour."""
        return format_scaled(offer.terms.price_ticks, scale=TICKS) if offer.terms else ""

    @admin.display(description="from")
    def starts_at(self, offer: Offer) -> str:
        """Show when the current version begins."""
        return f"{offer.terms.starts_at:%Y-%m-%d %H:%M}" if offer.terms else ""

    @admin.display(description="until")
    def ends_at(self, offer: Offer) -> str:
        """Show when the current version ends."""
        return f"{offer.terms.ends_at:%Y-%m-%d %H:%M}" if offer.terms else ""

    @admin.display(description="sold")
    def sold(self, offer: Offer) -> SafeString:
        """Show what it sold, hour by hour."""
        fills = offer.fills.select_related("auction").order_by("starts_at")
        rows = [
            [
                link(fill.auction),
                f"{fill.starts_at:%Y-%m-%d %H:%M}",
                format_scaled(fill.quantity_lots, scale=LOTS),
            ]
            for fill in fills
        ]
        return table(["auction", "from", "accelerators"], rows)
