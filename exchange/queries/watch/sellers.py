"""Who counts as one seller: organizations of one owner, and who controls another with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from accounts.models import Organization
from accounts.queries.relations import seller_groups


@dataclass(frozen=True, slots=True)
class Sellers:
    """The groups of sellers: each organization's lead, which is itself where it is alone."""

    lead_of: dict[int, int]

    def lead(self, number: int) -> int:
        """Return the number of the group of an organization."""
        return self.lead_of.get(number, number)

    def members(self, lead: int) -> list[int]:
        """Return the numbers of all organizations of a group, the lead first."""
        return [lead, *sorted(n for n, up in self.lead_of.items() if up == lead and n != lead)]

    def params(self) -> dict[str, Any]:
        """Return what the block ``GROUPED`` asks for."""
        return {"members": list(self.lead_of), "leads": list(self.lead_of.values())}


def known_sellers() -> Sellers:
    """Return the groups as they are known now."""
    return Sellers(dict(seller_groups()))


def names_of(numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return the public id and the name of organizations by their numbers."""
    rows = Organization.objects.filter(pk__in=set(numbers))
    return {pk: (public, name) for pk, public, name in rows.values_list("pk", "public_id", "name")}
