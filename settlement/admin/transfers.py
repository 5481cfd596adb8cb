from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.showing import link, link_to_list, money
from settlement.models import Batch, SettlementRun, StatementLine, Transfer


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin, admin.ModelAdmin[Transfer]):
    """Every movement of money, and what it paid for."""

    list_display = [
        "id", "event_at", "code", "amount", "debit", "credit", "contract", "run_no", "hold",
    ]  # fmt: skip
    list_select_related = ["debit", "credit", "hold", "period__contract"]
    list_filter = ["code", "debit__kind", "credit__kind", "run_no"]
    search_fields = [
        "=id",
        "=hold__key",
        "=period__contract__public_id",
        "=period__contract__auction_id",
        "=debit__owner__name",
        "=credit__owner__name",
    ]
    date_hierarchy = "event_at"
    exclude = ["amount_micros", "debit", "credit", "hold", "reverses", "batch", "period"]
    readonly_fields = [
        "id", "code", "amount", "debit_account", "credit_account", "event_at", "contract",
        "hour", "run_link", "run_no", "lines", "hold_link", "reverses_link", "reversed_by_link",
        "batch_link",
    ]  # fmt: skip

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, transfer: Transfer) -> str:
        """Show the amount."""
        return money(transfer.amount_micros)

    @admin.display(description="contract")
    def contract(self, transfer: Transfer) -> SafeString | str:
        """Lead to the contract that was paid."""
        return link(transfer.period.contract if transfer.period else None)

    @admin.display(description="hour")
    def hour(self, transfer: Transfer) -> SafeString | str:
        """Lead to the hour that was paid."""
        return link(transfer.period)

    @admin.display(description="run")
    def run_link(self, transfer: Transfer) -> SafeString | str:
        """Lead to the run that posted it."""
        if transfer.period_id is None or transfer.run_no is None:
            return link(None)
        runs = SettlementRun.objects.filter(period=transfer.period_id, run_no=transfer.run_no)
        return link(runs.first())

    @admin.display(description="lines of statements")
    def lines(self, transfer: Transfer) -> SafeString | str:
        """Lead to the lines that say what it moved."""
        if transfer.period_id is None:
            return link(None)
        cut = {"period__id__exact": transfer.period_id, "run_no__exact": transfer.run_no}
        return link_to_list(StatementLine, "lines", **cut)

    @admin.display(description="from")
    def debit_account(self, transfer: Transfer) -> SafeString | str:
        """Lead to the account that paid."""
        return link(transfer.debit)

    @admin.display(description="to")
    def credit_account(self, transfer: Transfer) -> SafeString | str:
        """Lead to the account that was paid."""
        return link(transfer.credit)

    @admin.display(description="hold")
    def hold_link(self, transfer: Transfer) -> SafeString | str:
        """Lead to the hold that was captured."""
        return link(transfer.hold)

    @admin.display(description="reverses")
    def reverses_link(self, transfer: Transfer) -> SafeString | str:
        """Lead to the transfer that this one undoes."""
        return link(transfer.reverses)

    @admin.display(description="reversed by")
    def reversed_by_link(self, transfer: Transfer) -> SafeString | str:
        """Lead to the transfer that undoes this one."""
        return link(Transfer.objects.filter(reverses=transfer).first())

    @admin.display(description="batch")
    def batch_link(self, transfer: Transfer) -> SafeString | str:
        """Lead to the batch that it was posted in."""
        return link(transfer.batch)


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin, admin.ModelAdmin[Batch]):
    """The chain of what was posted together."""

    list_display = ["id", "key", "posted_at", "transfers_count", "amount", "link_hash"]
    search_fields = ["key"]
    date_hierarchy = "posted_at"
    exclude = ["previous", "transfers_count", "amount_micros"]
    readonly_fields = [
        "key", "posted_at", "transfers", "amount", "content_hash", "link_hash", "previous_link",
    ]  # fmt: skip

    @admin.display(description="amount", ordering="amount_micros")
    def amount(self, batch: Batch) -> str:
        """Show the sum of its transfers."""
        return money(batch.amount_micros)

    @admin.display(description="transfers")
    def transfers(self, batch: Batch) -> SafeString:
        """Lead to its transfers."""
        return link_to_list(Transfer, f"{batch.transfers_count:,}", batch__id__exact=batch.pk)

    @admin.display(description="SHA-256 of its content")
    def content_hash(self, batch: Batch) -> str:
        """Show the hash of its transfers."""
        return bytes(batch.content_sha256).hex()

    @admin.display(description="SHA-256 in the chain")
    def link_hash(self, batch: Batch) -> str:
        """Show the hash that the next batch builds on."""
        return bytes(batch.sha256).hex()

    @admin.display(description="previous batch")
    def previous_link(self, batch: Batch) -> SafeString | str:
        """Lead to the batch before it."""
        return link(batch.previous)
