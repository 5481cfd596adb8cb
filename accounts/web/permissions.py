from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models.callers import Caller


class HasScope(BasePermission):
    """Opens a view to callers whose key has the scope that the view states for the method.

    A view says ``scopes = {"GET": "bids:read", "POST": "bids:write"}``, with ``""`` for any live
    key, or ``public = True`` where no key is needed at all. A view that says neither is shut.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether to go on; False without a key reads as 401."""
        if getattr(view, "public", False):
            return True
        caller = request.auth
        if not isinstance(caller, Caller):
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method == "OPTIONS" or method not in view.allowed_methods:
            return True  # Harmless, or on its way to a 405.
        _refuse_without_scope(caller, _scope_of(view, method))
        return True


def _scope_of(view: Any, method: str) -> str:
    scopes: Mapping[str, str] = getattr(view, "scopes", {})
    if method not in scopes:
        raise ImproperlyConfigured(f"{type(view).__name__} states no scope for {method}")
    return scopes[method]


def _refuse_without_scope(caller: Caller, scope: str) -> None:
    if scope and not caller.is_kind_for(scope):
        raise PermissionDenied(
            f"This organization is not of the kind that {scope} is for.", "organization_kind"
        )
    if scope and not caller.has_scope(scope):
        raise PermissionDenied(f"This API key lacks the scope {scope}.", "scope_missing")
