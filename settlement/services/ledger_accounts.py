"""Accounts, made when they are first needed."""

from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from settlement.models import AccountKind
from settlement.models.ledger import OWNED_KINDS

FIND = """
SELECT owner_id, id FROM settlement_ledgeraccount
WHERE owner_id = ANY(%s) AND kind = %s AND currency = %s AND reference = ''
"""
MAKE = """
INSERT INTO settlement_ledgeraccount (owner_id, kind, currency, reference)
SELECT owner_id, %s, %s, '' FROM unnest(%s::bigint[]) AS owner_id
ON CONFLICT DO NOTHING
"""
FIND_OF_HOUSE = """
SELECT id FROM settlement_ledgeraccount
WHERE owner_id IS NULL AND kind = %s AND currency = %s AND reference = %s
"""
MAKE_OF_HOUSE = """
INSERT INTO settlement_ledgeraccount (kind, currency, reference) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""


def accounts_of(kind: AccountKind, organization_ids: Iterable[int]) -> dict[int, int]:
    """Return the account id of each organization, for its money of this kind."""
    assert kind in OWNED_KINDS, kind
    wanted = sorted(set(organization_ids))
    found = _find(kind, wanted)
    missing = [owner for owner in wanted if owner not in found]
    if missing:
        with connection.cursor() as cursor:
            cursor.execute(MAKE, [kind, settings.MARKET_CURRENCY, missing])
        found |= _find(kind, missing)
    return found


def house_account(kind: AccountKind) -> int:
    """Return the id of the house's one account of this kind."""
    assert kind not in {*OWNED_KINDS, AccountKind.CLEARING}, kind
    return _house(kind, "")


def clearing_account(reference: str) -> int:
    """Return the id of the account through which one auction or run passes its money."""
    assert reference
    return _house(AccountKind.CLEARING, reference)


def _find(kind: AccountKind, owners: list[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [owners, kind, settings.MARKET_CURRENCY])
        return dict(cursor.fetchall())


def _house(kind: AccountKind, reference: str) -> int:
    names = [kind, settings.MARKET_CURRENCY, reference]
    with connection.cursor() as cursor:
        cursor.execute(FIND_OF_HOUSE, names)
        found = cursor.fetchone()
        if found is None:
            cursor.execute(MAKE_OF_HOUSE, names)
            cursor.execute(FIND_OF_HOUSE, names)
            found = cursor.fetchone()
    return int(found[0])
