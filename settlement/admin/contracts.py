from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin, export_csv
from settlement.admin.contract_actions import CONTRACT_ACTIONS
from settlement.admin.inlines import ReadOnlyInline
from settlement.admin.showing import link, link_to_list, money, table
from settlement.models import Contract, ContractMove, ExcusedOutage, Hold, Transfer
from settlement.queries.contracts import PeriodStory, periods_of
from settlement.queries.dues import Due, dues_of


class MoveInline(ReadOnlyInline, admin.TabularInline[ContractMove, Contract]):
    """How the contract went from state to state."""

    model = ContractMove
    readonly_fields = [
        "moved_at", "planned_at", "was", "state", "reason_code", "reason", "actor",
    ]  # fmt: skip


class OutageInline(ReadOnlyInline, admin.TabularInline[ExcusedOutage, Contract]):
    """When not delivering costs no penalty."""

    model = ExcusedOutage
    readonly_fields = ["starts_at", "ends_at", "cause", "detail", "actor"]


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin, admin.ModelAdmin[Contract]):
    """A contract's page tells its story: bid and auction, hours, runs, transfers."""

    list_display = [
        "public_id", "state", "buyer", "provider", "site_code", "accelerator_code", "starts_at",
        "ends_at", "auction_id", "bid_id",
    ]  # fmt: skip
    list_select_related = ["buyer", "provider"]
    list_filter = ["state", "accelerator_kind", "domestic", "region_code", "accelerator_code"]
    search_fields = [
        "=public_id", "=auction_id", "=bid_id", "=site_code", "buyer__name", "provider__name",
        "=buyer__public_id", "=provider__public_id",
    ]  # fmt: skip
    date_hierarchy = "starts_at"
    readonly_fields = ["hold_link", "transfers", "due", "hours"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "public_id", "state", "reason_code", "reason", "actor", "buyer", "provider",
                    "auction_id", "bid_id", "resale", "hold_link", "transfers", "due",
                ]
            },
        ),
        ("Hours", {"fields": ["hours"]}),
        (
            "Time",
            {
                "fields": [
                    "starts_at", "ends_at", "started_at", "ended_at", "reclaim_at",
                    "provider_confirmed_at", "buyer_confirmed_at", "created_at",
                ]
            },
        ),
        (
            "Terms",
            {
                "fields": [
                    "site_code", "region_code", "accelerator_code", "accelerator_kind",
                    "domestic", "tflops_micros", "watts_micros", "pue_micros",
                    "renewable_micros", "currency", "tolerance_ppm", "penalty_factor_ppm",
                    "dispute_days", "notice_minutes", "run_delays_minutes", "buyer_fee_ppm",
                    "seller_fee_ppm",
                ]
            },
        ),
    ]  # fmt: skip
    inlines = [MoveInline, OutageInline]
    actions = (*CONTRACT_ACTIONS, export_csv)

    @admin.display(description="hold")
    def hold_link(self, contract: Contract) -> SafeString | str:
        """Lead to the money that was frozen for its bid."""
        return link(Hold.objects.filter(key=contract.hold_key).first())

    @admin.display(description="transfers")
    def transfers(self, contract: Contract) -> SafeString:
        """Lead to everything that was paid for it."""
        return link_to_list(Transfer, "all of them", q=contract.public_id)

    @admin.display(description="due so far")
    def due(self, contract: Contract) -> str:
        """Show what its last runs add up to."""
        due = dues_of([contract.pk]).get(contract.pk, Due())
        return f"buyer owes {money(due.buyer_micros)}, provider is owed {money(due.seller_micros)}"

    @admin.display(description="")
    def hours(self, contract: Contract) -> SafeString:
        """Show each delivery period with its last run and the way to its transfers."""
        head = [
            "from", "until", "quantity", "price", "state", "run", "delivered",
            "buyer owes", "provider is owed", "penalty", "transfers",
        ]  # fmt: skip
        return table(head, [_hour(story) for story in periods_of(contract)])


def _hour(story: PeriodStory) -> list[object]:
    period, run = story.period, story.run
    paid = link_to_list(Transfer, "transfers", period__id__exact=period.pk)
    start = [
        f"{period.starts_at:%Y-%m-%d %H:%M}", f"{period.ends_at:%Y-%m-%d %H:%M}",
        f"{period.quantity_lots / 1_000:.3f}", f"{period.price_ticks / 1_000:.3f}",
        link(period, period.get_state_display()),
    ]  # fmt: skip
    if run is None:
        return [*start, "", "", "", "", "", paid]
    share = f"{run.delivered_ms / run.contracted_ms:.2%}"
    buyer = run.buyer_due_micros + run.buyer_fee_micros
    seller = run.seller_due_micros - run.seller_fee_micros
    amounts = [money(each) for each in (buyer, seller, run.penalty_micros)]
    return [*start, link(run, run.get_run_no_display()), share, *amounts, paid]
