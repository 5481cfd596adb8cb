from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Caller
from accounts.services import api_keys
from accounts.web.admin_actions import ReadOnlyAdmin, action_with_reason, export_csv


def revoke(key: ApiKey, reason: str, actor: Caller) -> None:
    """Revoke one key."""
    api_keys.revoke_key(key, reason=reason, actor=actor)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin, admin.ModelAdmin[ApiKey]):
    """Keys without their secrets, which are kept nowhere."""

    list_display = [
        "public_id", "name", "organization", "scopes", "last_used_at", "expires_at", "revoked_at",
    ]  # fmt: skip
    list_select_related = ["organization"]
    list_filter = [
        ("revoked_at", admin.EmptyFieldListFilter),
        ("meter", admin.EmptyFieldListFilter),
    ]
    search_fields = ["public_id", "name", "meter", "organization__name"]
    date_hierarchy = "created_at"
    actions = [action_with_reason(revoke, name="revoke", description=_("Revoke")), export_csv]
