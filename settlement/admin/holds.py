from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.inlines import ReadOnlyInline
from settlement.admin.showing import link, link_to_list, money
from settlement.models import Hold, HoldRelease, Transfer


class ReleaseInline(ReadOnlyInline, admin.TabularInline[HoldRelease, Hold]):
    """What was freed of the hold, when and why."""

    model = HoldRelease
    readonly_fields = ["released_at", "amount_micros", "reason"]


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin, admin.ModelAdmin[Hold]):
    """Money frozen for bids."""

    list_display = ["key", "created_at", "owner", "amount", "captured", "released", "still_open"]
    list_select_related = ["account__owner"]
    search_fields = ["=key", "=account__owner__public_id", "account__owner__name"]
    date_hierarchy = "created_at"
    exclude = ["account", "amount_micros", "captured_micros", "released_micros"]
    readonly_fields = [
        "key", "account_link", "created_at", "amount", "captured", "released", "still_open",
        "captures",
    ]  # fmt: skip
    inlines = [ReleaseInline]

    @admin.display(description="owner")
    def owner(self, hold: Hold) -> str:
        """Show whose money it is."""
        return str(hold.account.owner)

    @admin.display(description="account")
    def account_link(self, hold: Hold) -> SafeString | str:
        """Lead to the account that it freezes money of."""
        return link(hold.account)

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, hold: Hold) -> str:
        """Show what was frozen at first."""
        return money(hold.amount_micros)

    @admin.display(description="captured", ordering="captured_micros")
    def captured(self, hold: Hold) -> str:
        """Show what was paid out of it."""
        return money(hold.captured_micros)

    @admin.display(description="released", ordering="released_micros")
    def released(self, hold: Hold) -> str:
        """Show what was freed."""
        return money(hold.released_micros)

    @admin.display(description="open")
    def still_open(self, hold: Hold) -> str:
        """Show what is still frozen."""
        return money(hold.open_micros)

    @admin.display(description="captures")
    def captures(self, hold: Hold) -> SafeString:
        """Lead to the transfers that were paid out of it."""
        return link_to_list(Transfer, "transfers", hold__id__exact=hold.pk)
