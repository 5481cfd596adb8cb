"""From a key or a membership to the caller that acts by it."""

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from accounts.models import ApiKey, Membership, User
from accounts.models.callers import Caller

# Raw, since every request to the API begins with it; the columns stand in KeyRow's order.
KEY_ROW = """
SELECT key.id, key.public_id, key.secret_hmac, key.scopes, key.meter, key.rate, key.expires_at,
       key.revoked_at, key.last_used_at, key.organization_id, owner.public_id, owner.name,
       owner.state, owner.provides, owner.buys, owner.operates, owner.audits
FROM accounts_apikey AS key JOIN accounts_organization AS owner ON owner.id = key.organization_id
WHERE key.public_id = %s
"""


class KeyRow(NamedTuple):
    """A key and its organization in one row; in the order of KEY_ROW."""

    id: int
    public_id: str
    secret_hmac: bytes
    scopes: list[str]
    meter: str
    rate: str
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    organization_id: int
    organization_public_id: str
    organization_name: str
    organization_state: str
    provides: bool
    buys: bool
    operates: bool
    audits: bool

    def caller(self) -> Caller:
        """Return who this key speaks for."""
        return Caller(
            organization_id=self.organization_id,
            organization_public_id=self.organization_public_id,
            organization_name=self.organization_name,
            api_key_id=self.id,
            api_key_public_id=self.public_id,
            scopes=frozenset(self.scopes),
            meter=self.meter,
            rate=self.rate,
            provides=self.provides,
            buys=self.buys,
            operates=self.operates,
            audits=self.audits,
        )


def key_row(public_id: str) -> KeyRow | None:
    """Return the key of this id with its organization, by one indexed query."""
    with connection.cursor() as cursor:
        cursor.execute(KEY_ROW, [public_id])
        row = cursor.fetchone()
    return None if row is None else KeyRow(*row)


def caller_of_key(key: ApiKey) -> Caller:
    """Return who a key speaks for."""
    row = key_row(key.public_id)
    assert row is not None, "a key that was never kept"
    return row.caller()


def caller_of_membership(membership: Membership) -> Caller:
    """Return the caller that a member is for its organization."""
    organization = membership.organization
    return Caller(
        organization_id=organization.pk,
        organization_public_id=organization.public_id,
        organization_name=organization.name,
        user_id=membership.user_id,
        role=membership.role,
        provides=organization.provides,
        buys=organization.buys,
        operates=organization.operates,
        audits=organization.audits,
    )


def usable_memberships(user: User) -> list[Membership]:
    """Return the memberships by which a person may act now, the oldest first."""
    return list(Membership.objects.usable().filter(user=user))
