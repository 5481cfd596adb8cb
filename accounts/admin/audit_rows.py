from django.contrib import admin

from accounts.models import AuditRow
from accounts.web.admin_actions import ReadOnlyAdmin


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnlyAdmin, admin.ModelAdmin[AuditRow]):
    """Who did what to which object, when and why."""

    list_display = [
        "at", "verb", "object_type", "object_id", "user", "api_key", "organization", "reason",
    ]  # fmt: skip
    list_select_related = ["user", "api_key", "organization"]
    list_filter = ["verb", "object_type"]
    search_fields = ["object_id", "user__email", "organization__name", "reason"]
    date_hierarchy = "at"
