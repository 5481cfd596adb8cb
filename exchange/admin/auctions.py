from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditRow, Caller
from accounts.web.admin_actions import ReadOnlyAdmin, action_with_reason, export_csv
from exchange.foundation.money import TICKS, format_scaled
from exchange.models import Auction, AuctionSeries, BidFill, CellPrice, ClearingResult
from exchange.queries.certificates import certificate_of
from exchange.queries.verification import problems_of
from exchange.services.auctions import void_auction
from settlement.admin.showing import NOTHING, link_to_list, table
from settlement.models import Contract

PROBLEMS_SHOWN = 20


def _void(auction: Auction, reason: str, actor: Caller) -> None:
    void_auction(auction, reason=reason, actor=actor)


@admin.register(Auction)
class AuctionAdmin(ReadOnlyAdmin, admin.ModelAdmin[Auction]):
    """An auction's page shows its certificate and can check the archive again."""

    change_form_template = "admin/exchange/auction.html"
    list_display = [
        "public_id", "series", "state", "opens_at", "closes_at", "starts_at", "ends_at",
        "published_at", "alarm_code",
    ]  # fmt: skip
    list_select_related = ["series"]
    list_filter = ["state", "series", "alarm_code"]
    search_fields = ["=public_id", "series__code", "=book_sha256"]
    date_hierarchy = "starts_at"
    readonly_fields = ["certificate", "rows", "history"]
    actions = [
        export_csv,
        action_with_reason(_void, name="void", description=gettext_lazy("Void the auction")),
    ]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "public_id", "series", "state", "reason_code", "reason_detail", "actor",
                    "alarm_code", "alarm_detail", "alarm_at", "rows",
                ]
            },
        ),
        ("Certificate", {"fields": ["certificate"]}),
        (
            "Time",
            {
                "fields": [
                    "opens_at", "opened_at", "closes_at", "closed_at", "cleared_at",
                    "published_at", "voided_at", "starts_at", "ends_at", "retry_at",
                ]
            },
        ),
        (
            "Terms",
            {
                "fields": [
                    "period_minutes", "periods", "currency", "price_cap_ticks",
                    "min_domestic_share_micros", "buyer_fee_ppm", "seller_fee_ppm",
                    "tolerance_ppm", "penalty_factor_ppm", "dispute_days", "notice_minutes",
                    "run_delays_minutes",
                ]
            },
        ),
        ("Who did what", {"fields": ["history"]}),
    ]  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """Add the page's button that checks the archive again."""
        check = path(
            "<int:pk>/check/",
            self.admin_site.admin_view(self.check_view),
            name="exchange_auction_check",
        )
        return [check, *super().get_urls()]

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check the archive alone, then against the database, and say what is wrong."""
        result = ClearingResult.objects.select_related("auction").filter(auction_id=pk).first()
        if request.method != "POST" or result is None:
            return redirect("admin:exchange_auction_change", pk)
        problems = problems_of(result)
        for problem in problems[:PROBLEMS_SHOWN]:
            self.message_user(request, problem, messages.ERROR)
        if not problems:
            said = _("The archive keeps every promise, and the database says the same.")
            self.message_user(request, said, messages.SUCCESS)
        return redirect("admin:exchange_auction_change", pk)

    @admin.display(description="certificate")
    def certificate(self, auction: Auction) -> str:
        """Show what the clearing proved."""
        results = ClearingResult.objects.select_related("auction")
        result = results.filter(auction=auction).first()
        if result is None:
            return NOTHING
        shown = certificate_of(result).items()
        return table(["", ""], [[name.replace("_", " "), _said(value)] for name, value in shown])

    @admin.display(description="what it led to")
    def rows(self, auction: Auction) -> str:
        """Lead to the auction's bids, trades, prices and contracts."""
        cut = auction.public_id
        return table(
            [""],
            [
                [link_to_list(auction.bids.model, "bids", auction__public_id=cut)],
                [link_to_list(BidFill, "trades", auction__public_id=cut)],
                [link_to_list(CellPrice, "prices", auction__public_id=cut)],
                [link_to_list(Contract, "contracts", q=cut)],
            ],
        )

    @admin.display(description="")
    def history(self, auction: Auction) -> str:
        """Show what people did to it, and why."""
        rows = AuditRow.objects.about(auction).select_related("user", "api_key")
        said = [[f"{row.at:%Y-%m-%d %H:%M:%S}", row.verb, row.user, row.reason] for row in rows]
        return table(["at", "what", "who", "why"], said) if said else NOTHING


@admin.register(AuctionSeries)
class AuctionSeriesAdmin(admin.ModelAdmin[AuctionSeries]):
    """Series are the operator's to set up; an auction keeps the terms it was announced with."""

    list_display = [
        "code", "name", "horizon", "time_zone", "currency", "period_minutes", "active",
    ]  # fmt: skip
    list_filter = ["horizon", "active"]
    search_fields = ["code", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return that a series is ended by making it inactive."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what an existing series may not change: its name in book files and its money.

        Its price cap is changed by a measure, which another operator approves.
        """
        return ["code", "currency", "price_cap_ticks"] if obj else []


@admin.register(CellPrice)
class CellPriceAdmin(ReadOnlyAdmin, admin.ModelAdmin[CellPrice]):
    """Prices of accelerator-hours, cell by cell."""

    list_display = ["auction", "site", "accelerator", "period", "price"]
    list_select_related = ["auction", "site", "accelerator"]
    list_filter = ["accelerator", "site__region"]
    search_fields = ["=auction__public_id", "=site__code", "=accelerator__code"]

    @admin.display(description="price per accelerator-hour", ordering="price_ticks")
    def price(self, row: CellPrice) -> str:
        """Show the price with its three decimals."""
        return format_scaled(row.price_ticks, scale=TICKS)


def _said(value: object) -> object:
    return ", ".join(map(str, value)) or NOTHING if isinstance(value, list) else value
