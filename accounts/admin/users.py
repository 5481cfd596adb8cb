from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.web.admin_actions import export_csv

RIGHTS = ["is_staff", "is_superuser", "groups"]


class NewUserForm(AdminUserCreationForm[User]):
    """A person without a password sets one by the way of a forgotten password."""

    class Meta:
        model = User
        fields = ("email", "name")
        field_classes = {"email": forms.EmailField}


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """People; those who left are made inactive and stay."""

    add_form = NewUserForm
    ordering = ["email"]
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name", "public_id"]
    date_hierarchy = "created_at"
    readonly_fields = ["public_id", "last_login", "created_at"]
    fieldsets = [
        (None, {"fields": ["public_id", "email", "name", "password"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("Times"), {"fields": ["last_login", "created_at"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})
    ]
    filter_horizontal = ["groups"]
    actions = [export_csv]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Return that only a superuser hands out rights: nobody makes itself one."""
        own = list(super().get_readonly_fields(request, obj))
        return own if _is_superuser(request) else [*own, *RIGHTS]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return that only a superuser changes a superuser: a password is a right too."""
        is_above = obj is not None and obj.is_superuser and not _is_superuser(request)
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return that people stay: the audit rows name them."""
        return False


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser
