from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiKey, Caller, Organization, User
from accounts.models.roles import METER_SCOPES, Scope
from accounts.services import audit_rows, tokens


class UnknownScope(Exception):
    """A key cannot be given a scope that the API does not have."""


class MeterScopes(Exception):
    """A meter's key may report readings and do nothing else."""


def issue_key(
    organization: Organization,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None = None,
    meter: str = "",
    rate: str = "",
    created_by: User | None = None,
) -> tuple[ApiKey, str]:
    """Create a key and return it with its secret token, which cannot be shown again.

    Raises UnknownScope, MeterScopes if a meter's key asks for more than readings:write.
    """
    if unknown := sorted(set(scopes) - set(Scope.values)):
        raise UnknownScope(", ".join(unknown))
    if meter and set(scopes) != METER_SCOPES:
        raise MeterScopes("a meter's key has the scope readings:write alone")
    key = ApiKey(
        organization=organization,
        name=name,
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
        meter=meter,
        rate=rate,
        created_by=created_by,
    )
    token = tokens.new_secret(key.public_id)
    key.secret_hmac = tokens.hmacs(token)[0]
    key.save(force_insert=True)
    return key, token


def revoke_key(key: ApiKey, *, actor: Caller, reason: str = "") -> None:
    """End a key at once and for good; to revoke it again changes nothing."""
    with transaction.atomic():
        rows = ApiKey.objects.filter(pk=key.pk, revoked_at=None)
        if rows.update(revoked_at=timezone.now()):
            audit_rows.record(actor, "revoke", key, reason)
    key.refresh_from_db(fields=["revoked_at"])
