"""How people sign in; allauth does the work, and asks here for the house's rules."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.web.zones import keep_zone


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # the library is untyped
    """Nobody signs up alone: the operator, or an owner of the organization, opens accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return that sign-up is closed."""
        return False

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Bring the time zone back that the person chose, wherever they sign in."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        if user.time_zone:
            keep_zone(response, user.time_zone)
        return response


def may_administer(request: HttpRequest) -> bool:
    """Return whether this person may enter the admin: active staff, with TOTP where it is asked."""
    user = request.user
    is_staff = isinstance(user, User) and user.is_active and user.is_staff
    return is_staff and not lacks_totp(request)


def lacks_totp(request: HttpRequest) -> bool:
    """Return whether a second factor is asked of staff and this person has not set one up."""
    return settings.STAFF_NEEDS_TOTP and not is_mfa_enabled(request.user)


def admin_login(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send staff to the portal's own sign-in, and to set up TOTP before the admin opens."""
    secured: Callable[..., HttpResponse] = secure_admin_login(view)

    @wraps(view)
    def login(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if user.is_authenticated and user.is_staff and lacks_totp(request):
            return redirect("mfa_activate_totp")
        return secured(request, *args, **kwargs)

    return login
