"""Resales as the operator reads them."""

from django.contrib import admin

from accounts.web.admin_actions import ReadOnlyAdmin, export_csv
from settlement.models import Resale


@admin.register(Resale)
class ResaleAdmin(ReadOnlyAdmin, admin.ModelAdmin[Resale]):
    """Which hours their buyer sells on, to whom, and what became of it."""

    list_display = [
        "public_id", "contract", "buyer", "state", "starts_at", "ends_at", "price_ticks",
        "opened_at", "closed_at",
    ]  # fmt: skip
    list_select_related = ["contract", "buyer"]
    list_filter = ["state"]
    search_fields = ["=public_id", "=contract__public_id", "=buyer__public_id", "buyer__name"]
    date_hierarchy = "opened_at"
    actions = (export_csv,)
