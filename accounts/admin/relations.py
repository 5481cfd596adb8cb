from django.contrib import admin

from accounts.models import OrganizationRelation
from accounts.web.admin_actions import ReadOnlyAdmin


@admin.register(OrganizationRelation)
class OrganizationRelationAdmin(ReadOnlyAdmin, admin.ModelAdmin[OrganizationRelation]):
    """What operators wrote down about two organizations; entered in the control room."""

    list_display = ["one", "other", "kind", "reason", "entered_at", "ended_at"]
    list_select_related = ["one", "other"]
    list_filter = ["kind"]
    search_fields = ["one__name", "other__name", "=public_id", "reason"]
    date_hierarchy = "entered_at"
