"""Which organizations are related: by what an operator wrote, and by what is seen by itself.

Seen by itself: one owner group, a person who is a member of both, members whose addresses are at
one domain that is not a public mail service's. Operators' and auditors' own organizations are left
out: they do not trade, and their people may help anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from accounts.models.relations import RELATION_KINDS_OF_ONE_SELLER

# Domains at which anybody has an address say nothing about whom one works for.
PUBLIC_DOMAINS: Final = (
    *("126.com", "139.com", "163.com", "189.cn", "aliyun.com", "foxmail.com", "qq.com"),
    *("sina.cn", "sina.com", "sohu.com", "yeah.net"),
    *("fastmail.com", "gmail.com", "gmx.de", "gmx.net", "hotmail.com", "icloud.com", "live.com"),
    *("mail.ru", "outlook.com", "proton.me", "protonmail.com", "yahoo.com", "yandex.ru"),
)
# Rows of (one, other, why), one < other. For the head of a WITH clause.
RELATED: Final = """
party AS MATERIALIZED (
    SELECT id, owner_group FROM accounts_organization WHERE NOT operates AND NOT audits
), person AS MATERIALIZED (
    SELECT member.organization_id, member.user_id, split_part(person.email, '@', 2) AS domain
    FROM accounts_membership AS member
    JOIN accounts_user AS person ON person.id = member.user_id
    JOIN party ON party.id = member.organization_id
), related AS MATERIALIZED (
    SELECT one_id AS one, other_id AS other, kind AS why
    FROM accounts_organizationrelation WHERE ended_at IS NULL
    UNION
    SELECT one.id, other.id, 'owner_group'
    FROM party AS one JOIN party AS other
      ON other.owner_group = one.owner_group AND other.id > one.id AND one.owner_group <> ''
    UNION
    SELECT one.organization_id, other.organization_id, 'member'
    FROM person AS one JOIN person AS other
      ON other.user_id = one.user_id AND other.organization_id > one.organization_id
    UNION
    SELECT one.organization_id, other.organization_id, 'domain'
    FROM (SELECT DISTINCT organization_id, domain FROM person) AS one
    JOIN (SELECT DISTINCT organization_id, domain FROM person) AS other
      ON other.domain = one.domain AND other.organization_id > one.organization_id
    WHERE one.domain <> ALL (%(public_domains)s)
)
"""
_PAIRS = f"""
WITH {RELATED}
SELECT one.id, one.public_id, one.name, other.id, other.public_id, other.name,
       array_agg(DISTINCT why ORDER BY why)
FROM related
JOIN accounts_organization AS one ON one.id = related.one
JOIN accounts_organization AS other ON other.id = related.other
GROUP BY one.id, other.id ORDER BY one.name, other.name, one.id, other.id
LIMIT %(most)s
"""  # noqa: S608 - the clause above
_SAME_SELLER = """
SELECT one_id, other_id FROM accounts_organizationrelation
WHERE ended_at IS NULL AND kind = ANY (%(kinds)s)
UNION
SELECT min(id) OVER (PARTITION BY owner_group), id FROM accounts_organization
WHERE owner_group <> ''
"""
_STAMP = """
SELECT count(*), count(ended_at),
       (SELECT md5(string_agg(id || owner_group, ',' ORDER BY id)) FROM accounts_organization
        WHERE owner_group <> ''),
       (SELECT max(id) FROM accounts_membership), (SELECT count(*) FROM accounts_membership)
FROM accounts_organizationrelation
"""
PAIRS_MAX = 500


@dataclass(frozen=True, slots=True)
class RelatedPair:
    """Two related organizations and why: kinds of relations, ``member``, ``domain``, ..."""

    one: int
    one_public_id: str
    one_name: str
    other: int
    other_public_id: str
    other_name: str
    why: list[str]


def related_params() -> dict[str, Any]:
    """Return what the clause ``RELATED`` asks for."""
    return {"public_domains": list(PUBLIC_DOMAINS)}


def related_pairs() -> list[RelatedPair]:
    """Return every two related organizations, by name, at most ``PAIRS_MAX``."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"most": PAIRS_MAX, **related_params()})
        return [RelatedPair(*row) for row in cursor.fetchall()]


def seller_groups() -> Mapping[int, int]:
    """Return the number of the group of each organization that is not alone: its lowest member.

    One owner's organizations are one seller, and so is who controls another with it; so on along
    the chain. What members or addresses have in common makes no group: it may be chance.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SAME_SELLER, {"kinds": [str(k) for k in RELATION_KINDS_OF_ONE_SELLER]})
        pairs = cursor.fetchall()
    lead: dict[int, int] = {}

    def find(number: int) -> int:
        while (up := lead.setdefault(number, number)) != number:
            number = up
        return number

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        lead[high] = low
    return {number: find(number) for number in lead}


def relations_stamp() -> str:
    """Return a text that is another one after a relation, an owner group or a member changed."""
    with connection.cursor() as cursor:
        cursor.execute(_STAMP)
        return "/".join(str(word) for word in cursor.fetchone())
