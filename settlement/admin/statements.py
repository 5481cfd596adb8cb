from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from accounts.web.admin_actions import ReadOnlyAdmin
from settlement.admin.inlines import ReadOnlyInline
from settlement.admin.showing import link_to_list, money
from settlement.models import Statement, StatementLine, Transfer


class LineInline(ReadOnlyInline, admin.TabularInline[StatementLine, Statement]):
    """The posted amounts on the statement."""

    model = StatementLine
    readonly_fields = ["line_no", "kind", "period", "run_no", "exact", "billed_minor", "paid"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[StatementLine]:
        """Bring the periods along, which every line names."""
        return super().get_queryset(request).select_related("period")

    @admin.display(description="exact")
    def exact(self, line: StatementLine) -> str:
        """Show the amount to the micro-unit."""
        return money(line.exact_micros)

    @admin.display(description="transfers")
    def paid(self, line: StatementLine) -> SafeString:
        """Lead to the transfers that moved it."""
        cut = {"period__id__exact": line.period_id, "run_no__exact": line.run_no}
        return link_to_list(Transfer, "transfers", **cut)


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
