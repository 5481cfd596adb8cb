from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import BidFill, CellPrice
from settlement.admin.showing import NOTHING, link, link_to_list, money, table
from settlement.models import Contract, DeliveryPeriod, Hold, LedgerAccount, SettlementRun, Transfer


@admin.register(BidFill)
class TradeAdmin(ReadOnlyAdmin, admin.ModelAdmin[BidFill]):
    """A trade: one fill with its contract, and everything that followed from it."""

    list_display = [
        "auction", "bid", "buyer", "site", "accelerator", "quantity", "price", "starts_at",
    ]  # fmt: skip
    list_select_related = ["auction", "bid", "bid__organization", "site", "accelerator"]
    list_filter = ["accelerator", "site__region", "bid__kind"]
    search_fields = [
        "=auction__public_id", "=bid__public_id", "=site__code", "bid__organization__name",
        "=site__provider__name",
    ]  # fmt: skip
    date_hierarchy = "starts_at"
    readonly_fields = ["buyer", "provider", "quantity", "price", "story", "runs", "transfers"]
    exclude = ["quantity_lots"]

    @admin.display(description="buyer", ordering="bid__organization__name")
    def buyer(self, fill: BidFill) -> str:
        """Show whose bid it was."""
        return str(fill.bid.organization)

    @admin.display(description="provider")
    def provider(self, fill: BidFill) -> str:
        """Show whose site it is."""
        return str(fill.site.provider)

    @admin.display(description="accelerators", ordering="quantity_lots")
    def quantity(self, fill: BidFill) -> str:
        """Show how many accelerators it got."""
        return format_scaled(fill.quantity_lots, scale=LOTS)

    @admin.display(description="clearing price")
    def price(self, fill: BidFill) -> str:
        """Show the price of its cell."""
        cell = CellPrice.objects.filter(
            auction=fill.auction_id,
            site=fill.site_id,
            accelerator=fill.accelerator_id,
            period=fill.period,
        ).first()
        return format_scaled(cell.price_ticks, scale=TICKS) if cell else NOTHING

    @admin.display(description="from bid to contract")
    def story(self, fill: BidFill) -> SafeString:
        """Show each step with the way to its page."""
        contract = self._contract(fill)
        period = self._period(fill)
        hold = Hold.objects.filter(key=fill.bid.hold_key).first()
        held = f"{money(fill.bid.greatest_cost_micros)} held at most"
        placed_at, published_at = _at(fill.bid.placed_at), _at(fill.auction.published_at)
        steps = [
            [placed_at, "bid placed", link(fill.bid), held],
            [placed_at, "money held", link(hold), money(hold.amount_micros) if hold else ""],
            [_at(fill.auction.closed_at), "gate closed", link(fill.auction), ""],
            [published_at, "published", link(fill.auction), self.price(fill)],
            [published_at if contract else NOTHING, "contract", link(contract),
             contract.state if contract else ""],
            [_at(fill.starts_at), "delivery", link(period), period.state if period else ""],
        ]  # fmt: skip
        return table(["at", "what", "page", ""], steps)

    @admin.display(description="settlement runs")
    def runs(self, fill: BidFill) -> SafeString | str:
        """Show what was reckoned for this hour of the contract, run by run."""
        period = self._period(fill)
        if period is None:
            return NOTHING
        rows = [
            [
                link(run, run.get_run_no_display()),
                _at(run.ran_at),
                f"{run.delivered_ms / run.contracted_ms:.2%}",
                money(run.buyer_due_micros),
                money(run.seller_due_micros),
                money(run.penalty_micros),
            ]
            for run in SettlementRun.objects.filter(period=period)
        ]
        head = ["run", "at", "delivered", "buyer owes", "provider is owed", "penalty"]
        return table(head, rows)

    @admin.display(description="transfers")
    def transfers(self, fill: BidFill) -> SafeString | str:
        """Show every transfer that was posted for this hour of the contract."""
        period = self._period(fill)
        if period is None:
            return NOTHING
        posted = Transfer.objects.filter(period=period).select_related(
            "debit__owner", "credit__owner"
        )
        rows = [
            [
                link(each, str(each.pk)[:8]),
                each.get_code_display(),
                _account(each.debit),
                _account(each.credit),
                money(each.amount_micros),
            ]
            for each in posted.order_by("run_no", "code")
        ]
        head = ["transfer", "why", "from", "to", "amount"]
        all_of_it = link_to_list(Transfer, "in the list", period__id__exact=period.pk)
        return table(head, [*rows, [all_of_it, "", "", "", ""]])

    def _contract(self, fill: BidFill) -> Contract | None:
        return Contract.objects.filter(
            bid_id=fill.bid.public_id,
            auction_id=fill.auction.public_id,
            site_code=fill.site.code,
            accelerator_code=fill.accelerator.code,
        ).first()

    def _period(self, fill: BidFill) -> DeliveryPeriod | None:
        contract = self._contract(fill)
        if contract is None:
            return None
        return contract.periods.filter(starts_at=fill.starts_at).first()


def _account(account: LedgerAccount) -> str:
    """Say whose money it is, or whose clearing."""
    whose = account.owner or account.reference
    return f"{account.kind} of {whose}" if whose else str(account.kind)


def _at(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else NOTHING
