from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from accounts.models import Caller
from accounts.web.admin_actions import ReadOnlyAdmin, action_with_reason
from settlement.admin.inlines import ReadOnlyInline
from settlement.admin.showing import link, link_to_list, money
from settlement.models import (
    CreditNote,
    SettlementRun,
    Statement,
    StatementLine,
    StatementTax,
    Transfer,
)
from settlement.queries.line_transfers import CODE_OF_KIND
from settlement.services.credit_notes import credit_statement


def _credit(statement: Statement, reason: str, actor: Caller) -> None:
    credit_statement(statement, reason, actor)


class TaxInline(ReadOnlyInline, admin.TabularInline[StatementTax, Statement]):
    """The taxes in the statement's total."""

    model = StatementTax
    readonly_fields = [
        "line_no", "supply", "supplier_country", "customer_country", "rate", "gross_minor",
        "net_minor", "tax_minor",
    ]  # fmt: skip


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin, admin.ModelAdmin[Statement]):
    """What each organization was told for a month."""

    list_display = [
        "public_id", "organization", "side", "starts_at", "state", "series", "number", "exact",
    ]  # fmt: skip
    list_select_related = ["organization"]
    list_filter = ["state", "side", "series"]
    search_fields = ["=public_id", "organization__name", "=organization__public_id", "=number"]
    date_hierarchy = "starts_at"
    readonly_fields = ["lines_link", "note_link", "replaces_link", "replaced_link"]
    exclude = ["replaces"]
    inlines = [TaxInline]
    actions = [
        *ReadOnlyAdmin.actions,
        action_with_reason(
            _credit,
            name="credit",
            description=gettext_lazy("Take back by a credit note, and issue a replacement"),
        ),
    ]

    @admin.display(description="total", ordering="exact_micros")
    def exact(self, statement: Statement) -> str:
        """Show the total to the micro-unit."""
        return money(statement.exact_micros)

    @admin.display(description="lines")
    def lines_link(self, statement: Statement) -> SafeString:
        """Lead to the lines, which come in pages."""
        return link_to_list(StatementLine, "lines", statement__id__exact=statement.pk)

    @admin.display(description="taken back by")
    def note_link(self, statement: Statement) -> SafeString | str:
        """Lead to the credit note."""
        return link(CreditNote.objects.filter(statement=statement).first())

    @admin.display(description="replaces")
    def replaces_link(self, statement: Statement) -> SafeString | str:
        """Lead to the statement that this one replaces."""
        return link(statement.replaces)

    @admin.display(description="replaced by")
    def replaced_link(self, statement: Statement) -> SafeString | str:
        """Lead to the statement that replaces this one."""
        return link(Statement.objects.filter(replaces=statement).first())


@admin.register(StatementLine)
class StatementLineAdmin(ReadOnlyAdmin, admin.ModelAdmin[StatementLine]):
    """What one run of one period changed, on paper."""

    list_display = [
        "__str__", "kind", "period_link", "run_no", "exact", "billed_minor", "energy_wh",
        "co2_grams", "paid",
    ]  # fmt: skip
    list_select_related = ["period__contract", "statement"]
    list_filter = ["kind", "run_no"]
    search_fields = ["=statement__public_id", "=period__contract__public_id"]
    readonly_fields = ["statement_link", "period_link", "run_link", "paid"]
    exclude = ["statement", "period"]

    @admin.display(description="statement")
    def statement_link(self, line: StatementLine) -> SafeString | str:
        """Lead to the statement."""
        return link(line.statement)

    @admin.display(description="period")
    def period_link(self, line: StatementLine) -> SafeString | str:
        """Lead to the hour that it is about."""
        contract = line.period.contract.public_id
        return link(line.period, f"{contract} {line.period.starts_at:%Y-%m-%d %H:%M}")

    @admin.display(description="run")
    def run_link(self, line: StatementLine) -> SafeString | str:
        """Lead to the run that it follows from."""
        runs = SettlementRun.objects.filter(period=line.period_id, run_no=line.run_no)
        return link(runs.first())

    @admin.display(description="exact", ordering="exact_micros")
    def exact(self, line: StatementLine) -> str:
        """Show the amount to the micro-unit."""
        return money(line.exact_micros)

    @admin.display(description="transfers")
    def paid(self, line: StatementLine) -> SafeString:
        """Lead to the transfers that moved it."""
        code = int(CODE_OF_KIND[line.kind])  # type: ignore[index]  # a LineKind is its text
        cut = {"period__id__exact": line.period_id, "run_no__exact": line.run_no}
        return link_to_list(Transfer, "transfers", **cut, code__exact=code)


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnlyAdmin, admin.ModelAdmin[CreditNote]):
    """What was taken back, and why."""

    list_display = ["public_id", "series", "number", "statement", "reason", "issued_at"]
    list_select_related = ["statement"]
    list_filter = ["series"]
    search_fields = ["=public_id", "=statement__public_id", "=number"]
    date_hierarchy = "issued_at"
