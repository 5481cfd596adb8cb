from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.showing import joined, link_to_list, money
from settlement.models import Hold, LedgerAccount, Transfer


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin, admin.ModelAdmin[LedgerAccount]):
    """Who has how much, by kind."""

    list_display = ["id", "kind", "owner", "reference", "currency", "balance", "held", "available"]
    list_select_related = ["owner"]
    list_filter = ["kind", "currency"]
    search_fields = ["=owner__public_id", "owner__name", "=reference"]
    exclude = ["credits_posted", "debits_posted", "debits_pending", "credit_micros"]
    readonly_fields = [
        "kind", "owner", "reference", "currency", "credits", "debits", "balance", "held",
        "available", "credit", "movements",
    ]  # fmt: skip

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
        """Show what may still be spent, credit included."""
        return money(account.available_micros)

    @admin.display(description="credit", ordering="credit_micros")
    def credit(self, account: LedgerAccount) -> str:
        """Show what may be spent beyond what is there."""
        return money(account.credit_micros)

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
