"""``Authorization: Bearer key_...``: one indexed query says who is asking."""

import hmac
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiKey, Organization
from accounts.models.callers import Caller
from accounts.queries.callers import KeyRow, key_row
from accounts.services import tokens

USE_IS_WRITTEN_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """Sets ``request.auth`` to the Caller. There is no ``request.user``: a key is no person."""

    def authenticate(self, request: Request) -> tuple[None, Caller] | None:
        """Return the caller, None without an Authorization header; 401 or 403 otherwise."""
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        caller = caller_of_token(_token_of(header))
        structlog.contextvars.bind_contextvars(
            organization=caller.organization_public_id, api_key=caller.api_key_public_id
        )
        return None, caller

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return 'Bearer realm="api"'


def caller_of_token(token: str) -> Caller:
    """Return who holds this token.

    What is wrong with a key is told only to who knows its secret; for all others, an id that
    exists and one that does not look the same and cost the same.
    """
    public_id = tokens.id_of(token)
    if public_id is None:
        raise AuthenticationFailed("This is not an API key.", "api_key_invalid")
    hmacs = tokens.hmacs(token)
    key = key_row(public_id)
    kept = bytes(key.secret_hmac) if key else bytes(32)
    known = [hmac.compare_digest(kept, one) for one in hmacs]
    if key is None or not any(known):
        raise AuthenticationFailed("No such API key.", "api_key_invalid")
    now = timezone.now()
    _refuse_unless_live(key, now)
    _write_use(key, now, newest_hmac=hmacs[0])
    return key.caller()


def _token_of(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise AuthenticationFailed("Say 'Authorization: Bearer key_...'.", "bearer_expected")
    return token.strip()


def _refuse_unless_live(key: KeyRow, now: datetime) -> None:
    if key.revoked_at is not None:
        raise AuthenticationFailed("This API key was revoked.", "api_key_revoked")
    if key.expires_at is not None and key.expires_at <= now:
        raise AuthenticationFailed("This API key has expired.", "api_key_expired")
    if key.organization_state != Organization.State.ACTIVE:
        raise PermissionDenied("This organization is suspended.", "organization_suspended")


def _write_use(key: KeyRow, now: datetime, *, newest_hmac: bytes) -> None:
    """Keep the time of use, once a minute; who finds the row locked leaves it to the other.

    A key that was found under an older pepper is kept under the newest from here on.
    """
    if key.last_used_at is not None and now - key.last_used_at < USE_IS_WRITTEN_EVERY:
        return
    due = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_IS_WRITTEN_EVERY)
    with transaction.atomic():
        rows = ApiKey.objects.filter(due, pk=key.id)
        free = rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
        for pk in free:
            ApiKey.objects.filter(pk=pk).update(last_used_at=now, secret_hmac=newest_hmac)
