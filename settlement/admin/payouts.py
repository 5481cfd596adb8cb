"""Payouts: the operator approves what others asked for, and writes down what the bank did."""

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.models.callers import Caller
from accounts.web.admin_actions import ReadOnlyAdmin, action_with_reason, export_csv
from settlement.admin.showing import joined, link, money
from settlement.models import Payout
from settlement.services.payouts import confirm_payout, fail_payout, return_payout, submit_payout


def _submit(row: Payout, reason: str, actor: Caller) -> None:
    submit_payout(row, reason=reason, actor=actor)


def _confirm(row: Payout, reason: str, actor: Caller) -> None:
    confirm_payout(row, reason=reason, actor=actor)


def _fail(row: Payout, reason: str, actor: Caller) -> None:
    fail_payout(row, reason=reason, actor=actor)


def _return(row: Payout, reason: str, actor: Caller) -> None:
    return_payout(row, reason=reason, actor=actor)


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin, admin.ModelAdmin[Payout]):
    """Money that organizations asked for, and how far it has come."""

    list_display = [
        "public_id", "organization", "source", "amount", "state", "asked_by", "created_at",
        "submitted_by", "submitted_at", "confirmed_at", "ended_at",
    ]  # fmt: skip
    list_select_related = ["organization", "asked_by", "submitted_by"]
    list_filter = ["state", "source"]
    search_fields = ["=public_id", "organization__name", "=organization__public_id"]
    date_hierarchy = "created_at"
    exclude = ["amount_micros", "asked", "sent", "paid"]
    readonly_fields = ["amount", "steps"]
    actions = (
        action_with_reason(
            _submit, name="submit", description=gettext_lazy("Approve and submit to the bank")
        ),
        action_with_reason(
            _confirm, name="confirm", description=gettext_lazy("The bank has paid it")
        ),
        action_with_reason(
            _fail, name="fail", description=gettext_lazy("Refuse it, or the bank refused it")
        ),
        action_with_reason(
            _return, name="return_it", description=gettext_lazy("The bank sent it back")
        ),
        export_csv,
    )

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, payout: Payout) -> str:
        """Show how much is paid out."""
        return money(payout.amount_micros)

    @admin.display(description="transfers")
    def steps(self, payout: Payout) -> SafeString:
        """Lead to the transfer of each step."""
        done = {"asked": payout.asked, "sent": payout.sent, "paid": payout.paid}
        links = (link(each, name) for name, each in done.items() if each is not None)
        return joined(SafeString(each) for each in links)
