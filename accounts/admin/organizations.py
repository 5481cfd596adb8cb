from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.models import Caller, Membership, Organization
from accounts.services import organizations
from accounts.web.admin_actions import ReadOnlyAdmin, action_with_reason, export_csv


def suspend(organization: Organization, reason: str, actor: Caller) -> None:
    """Suspend one organization."""
    organizations.suspend_organization(organization, reason=reason, actor=actor)


def resume(organization: Organization, reason: str, actor: Caller) -> None:
    """Resume one organization."""
    organizations.resume_organization(organization, reason=reason, actor=actor)


class MembershipInline(admin.TabularInline[Membership, Organization]):
    """Who acts for the organization. The operator lets the first owner in here."""

    model = Membership
    extra = 0
    autocomplete_fields = ["user"]
    readonly_fields = ["public_id", "created_at"]


@admin.register(Organization)
class OrganizationAdmin(admin.ModelAdmin[Organization]):
    """Organizations are created and corrected by the operator; their state moves by actions."""

    list_display = [
        "name", "public_id", "state", "provides", "buys", "operates", "audits", "region_code",
    ]  # fmt: skip
    list_filter = ["state", "provides", "buys", "operates", "audits"]
    search_fields = ["name", "legal_name", "public_id", "owner_group"]
    date_hierarchy = "created_at"
    readonly_fields = ["public_id", "state", "created_at"]
    inlines = [MembershipInline]
    actions = [
        action_with_reason(suspend, name="suspend", description=_("Suspend")),
        action_with_reason(resume, name="resume", description=_("Resume")),
        export_csv,
    ]
    has_operate_permission = ReadOnlyAdmin.has_operate_permission

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        """Return that an organization stays; it is suspended instead."""
        return False


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin, admin.ModelAdmin[Membership]):
    """Every membership; edited on its organization's page."""

    list_display = ["user", "organization", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "organization__name", "public_id"]
    date_hierarchy = "created_at"
