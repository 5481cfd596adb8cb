from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.models import Application, Caller
from accounts.services import applications
from accounts.web.admin_actions import ReadOnlyAdmin, action_with_reason, export_csv


def approve(application: Application, reason: str, actor: Caller) -> None:
    """Let one organization in."""
    applications.approve(application, reason=reason, actor=actor)


def refuse(application: Application, reason: str, actor: Caller) -> None:
    """Turn one organization away."""
    applications.refuse(application, reason=reason, actor=actor)


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin, admin.ModelAdmin[Application]):
    """Organizations that want to take part; approving one invites its first owner."""

    list_display = ["name", "state", "provides", "buys", "tax_country", "email", "created_at"]
    list_filter = ["state", "provides", "buys"]
    search_fields = ["name", "legal_name", "email", "public_id"]
    date_hierarchy = "created_at"
    actions = [
        action_with_reason(approve, name="approve", description=_("Approve")),
        action_with_reason(refuse, name="refuse", description=_("Refuse")),
        export_csv,
    ]
