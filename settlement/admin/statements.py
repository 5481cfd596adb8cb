from django.contrib import admin
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.inlines import ReadOnlyInline
from settlement.admin.showing import link_to_list, money
from settlement.models import Statement, StatementLine, Transfer


class LineInline(ReadOnlyInline, admin.TabularInline[StatementLine, Statement]):
    """The posted amounts on the statement."""

    model = StatementLine
    readonly_fields = [
        "line_no",
        "kind",
        "period",
        "run_no",
        "exact",
        "billed_minor",
        "transfer_id",
    ]

    @admin.display(description="exact")
    def exact(self, line: StatementLine) -> str:
        """Show the amount to the micro-unit."""
        return money(line.exact_micros)

    @admin.display(description="transfer")
    def paid(self, line: StatementLine) -> SafeString:
        """Lead to the transfer that moved it."""
        return link_to_list(Transfer, str(line.transfer_id), id__exact=line.transfer_id)


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
    inlines = [LineInline]

    @admin.display(description="total", ordering="exact_micros")
    def exact(self, statement: Statement) -> str:
        """Show the total to the micro-unit."""
        return money(statement.exact_micros)
