"""Case files of the market watch: kept in the control room, read here."""

from django.contrib import admin

from accounts.web.admin_actions import ReadOnlyAdmin, export_csv
from exchange.models import CaseEntry, WatchCase


class EntryInline(admin.TabularInline[CaseEntry, WatchCase]):
    """All that was done with the case."""

    model = CaseEntry
    extra = 0
    can_delete = False
    readonly_fields = ["at", "deed", "text", "person", "assigned_to", "actor"]

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        """Return that entries are written in the control room alone."""
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        """Return that entries stay."""
        return False


@admin.register(WatchCase)
class WatchCaseAdmin(ReadOnlyAdmin, admin.ModelAdmin[WatchCase]):
    """Every case, with its evidence and its history."""

    list_display = [
        "public_id", "kind", "state", "outcome", "organization", "region_code",
        "accelerator_code", "opened_by", "opened_at", "assigned_to",
    ]  # fmt: skip
    list_select_related = ["organization", "opened_by", "assigned_to"]
    list_filter = ["state", "kind", "outcome"]
    search_fields = ["=public_id", "organization__name", "reason"]
    date_hierarchy = "opened_at"
    inlines = [EntryInline]
    actions = [export_csv]
