from functools import partial

from django.contrib import admin
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.deposits import deposit_view
from settlement.admin.showing import joined, link_to_list, money
from settlement.models import Hold, LedgerAccount, Transfer


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin, admin.ModelAdmin[LedgerAccount]):
    """Who has how much, by kind."""

    list_display = ["id", "kind", "owner", "reference", "currency", "balance", "held", "available"]
    list_select_related = ["owner"]
    list_filter = ["kind", "currency"]
    search_fields = ["=owner__public_id", "owner__name", "=reference"]
    exclude = ["credits_posted", "debits_posted", "debits_pending"]
    readonly_fields = [
        "kind", "owner", "reference", "currency", "credits", "debits", "balance", "held",
        "available", "movements",
    ]  # fmt: skip
    change_list_template = "admin/settlement/accounts.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the page on which a deposit is entered."""
        view = self.admin_site.admin_view(partial(deposit_view, self))
        return [path("deposit/", view, name="settlement_deposit_enter"), *super().get_urls()]

    @admin.display(description="paid in", ordering="credits_posted")
    def credits(self, account: LedgerAccount) -> str:
        """Show all that was ever paid in."""
        return money(account.credits_posted)

    @admin.display(description="paid out", ordering="debits_posted")
    def debits(self, account: LedgerAccount) -> str:
        """Show all that was ever paid out."""
        return money(account.debits_posted)

    @admin.display(description="balance")
    def balance(self, account: LedgerAccount) -> str:
        """Show what is there, frozen or not."""
        return money(account.balance_micros)

    @admin.display(description="held", ordering="debits_pending")
    def held(self, account: LedgerAccount) -> str:
        """Show what holds have frozen."""
        return money(account.debits_pending)

    @admin.display(description="available")
    def available(self, account: LedgerAccount) -> str:
        """Show what no hold has frozen."""
        return money(account.available_micros)

    @admin.display(description="movements")
    def movements(self, account: LedgerAccount) -> SafeString:
        """Lead to what was paid in, what was paid out, and the holds."""
        return joined(
            [
                link_to_list(Transfer, "paid in", credit__id__exact=account.pk),
                link_to_list(Transfer, "paid out", debit__id__exact=account.pk),
                link_to_list(Hold, "holds", account__id__exact=account.pk),
            ]
        )
