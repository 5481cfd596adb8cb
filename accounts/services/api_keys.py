import re
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Caller, Organization
from accounts.models.roles import METER_SCOPES, Scope
from accounts.services import audit_rows, tokens

KEYS_MAX = 100
RATE = re.compile(r"[1-9]\d{0,6}/(second|minute|hour|day)")


class UnknownScope(Exception):
    """A key cannot be given a scope that the API does not have."""


class ScopeNotHeld(Exception):
    """Nobody hands on what it may not do itself."""


class TooManyKeys(Exception):
    """An organization has at most KEYS_MAX keys that open doors, its meters' not counted."""


class UnknownRate(Exception):
    """A rate reads like 600/minute."""


class MeterScopes(Exception):
    """A meter's key may report readings and ask what to watch, and nothing else."""


def issue_key(
    organization: Organization,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    meter: str = "",
    rate: str = "",
    actor: Caller | None = None,
) -> tuple[ApiKey, str]:
    """Create a key and return it with its secret token, which cannot be shown again.

    ``actor`` is who asks for it, None for the house itself; it is written down, and hands on no
    scope that it does not hold. Raises UnknownScope, ScopeNotHeld, MeterScopes if a meter's key
    asks for more than readings:write, TooManyKeys, UnknownRate.
    """
    _refuse_scopes(set(scopes), meter=meter, actor=actor)
    _refuse_rate(rate)
    key = ApiKey(
        organization=organization,
        name=name,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        meter=meter,
        rate=rate,
        created_by_id=actor.user_id if actor else None,
    )
    token = tokens.new_secret(key.public_id)
    key.secret_hmac = tokens.hmacs(token)[0]
    with transaction.atomic():
        if not meter:
            _refuse_too_many(organization)
        key.save(force_insert=True)
        if actor:
            audit_rows.record(actor, "issue", key, " ".join(key.scopes))
    return key, token


def revoke_key(key: ApiKey, *, actor: Caller, reason: str = "") -> None:
    """End a key at once and for good; to revoke it again changes nothing."""
    with transaction.atomic():
        rows = ApiKey.objects.filter(pk=key.pk, revoked_at=None)
        if rows.update(revoked_at=timezone.now()):
            audit_rows.record(actor, "revoke", key, reason)
    key.refresh_from_db(fields=["revoked_at"])


def _refuse_scopes(scopes: set[str], *, meter: str, actor: Caller | None) -> None:
    if unknown := sorted(scopes - set(Scope.values)):
        raise UnknownScope(", ".join(unknown))
    if meter and scopes != METER_SCOPES:
        raise MeterScopes("a meter's key has the scope readings:write alone")
    if actor and (missing := sorted(scope for scope in scopes if not actor.has_scope(scope))):
        raise ScopeNotHeld(", ".join(missing))


def _refuse_rate(rate: str) -> None:
    if rate and not RATE.fullmatch(rate):
        raise UnknownRate(f"{rate!r:.40} is not a rate such as 600/minute")


def _refuse_too_many(organization: Organization) -> None:
    live = ApiKey.objects.live().filter(organization=organization, meter="")
    if live.count() >= KEYS_MAX:
        raise TooManyKeys(f"at most {KEYS_MAX} keys; revoke one first")
