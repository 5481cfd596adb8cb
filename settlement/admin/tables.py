"""Tables that the operator sets (rows are added, never changed), and what the audit found."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.services.audit_rows import record
from accounts.web.admin_actions import ReadOnlyAdmin, actor_of
from settlement.models import AuditResult, GridFactor, TaxRate


class AddOnly(ReadOnlyAdmin):
    """Mixed into a ModelAdmin: who may change such rows adds one that replaces those before it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may add a row."""
        return self.has_operate_permission(request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        """Add the row, and write down who did."""
        obj.save(force_insert=True)
        record(actor_of(request), "add", obj, obj.source)


@admin.register(TaxRate)
class TaxRateAdmin(AddOnly, admin.ModelAdmin[TaxRate]):
    """Rates by the countries of the parties, each with the law that it follows from."""

    list_display = [
        "name", "supplier_country", "customer_country", "supply", "rate_ppm", "valid_from",
        "source",
    ]  # fmt: skip
    list_filter = ["supply", "supplier_country", "customer_country"]
    search_fields = ["name", "source"]
    date_hierarchy = "valid_from"


@admin.register(GridFactor)
class GridFactorAdmin(AddOnly, admin.ModelAdmin[GridFactor]):
    """CO2 of a MWh by region and year, each with its source."""

    list_display = ["region_code", "year", "grams_per_mwh", "source"]
    list_filter = ["year"]
    search_fields = ["=region_code", "source"]


@admin.register(AuditResult)
class AuditResultAdmin(ReadOnlyAdmin, admin.ModelAdmin[AuditResult]):
    """Each invariant of the books, as the last hourly audit found it."""

    list_display = ["number", "invariant", "broken_count", "broken_since", "seconds", "finished_at"]
    list_filter = [("broken_since", admin.EmptyFieldListFilter)]
    search_fields = ["invariant"]
