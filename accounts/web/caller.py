"""Who is asking at a door of the API."""

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.models.callers import Caller

__all__ = ["Caller", "caller_of"]


def caller_of(request: Request) -> Caller:
    """Return who is asking. Raises NotAuthenticated (401) if the request came without a key."""
    if not isinstance(request.auth, Caller):
        raise NotAuthenticated
    return request.auth
