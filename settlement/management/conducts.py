"""Whose devices and meters behave otherwise in a simulation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from settlement.management.devices import PPM, Conduct
from settlement.models import Contract, Party


def share(text: str) -> int:
    """Return a share such as 0.2 in ppm. Raises ValueError."""
    found = signed_share(text)
    if found < 0:
        raise ValueError(text)
    return found


def signed_share(text: str) -> int:
    """Return a share such as -0.3 in ppm. Raises ValueError for more than all, or too fine."""
    found = Fraction(text) * PPM
    if found.denominator != 1 or abs(found) > PPM:
        raise ValueError(text)
    return int(found)


class Conducts:
    """How each contract's device and its meters behave: as usual, unless said otherwise.

    ``shortfalls`` and ``lies`` are ``org_...=0.25``. Raises ValueError for anything else.
    """

    def __init__(
        self,
        contracts: Iterable[Contract],
        usual: Conduct,
        *,
        shortfalls: Sequence[str] = (),
        lies: Sequence[str] = (),
    ) -> None:
        self.usual = usual
        self.contracts = {contract.public_id: contract for contract in contracts}
        self.shortfalls: Mapping[str, int] = _by_organization(shortfalls)
        self.lies: Mapping[str, int] = _by_organization(lies)

    def of(self, contract_id: str, party: Party) -> Conduct:
        """Return how a contract's device behaves, and that party's meter on it."""
        contract = self.contracts[contract_id]
        organization = contract.provider if party is Party.PROVIDER else contract.buyer
        return replace(
            self.usual,
            shortfall_ppm=max(0, self.shortfalls.get(contract.provider.public_id, 0)),
            lie_ppm=self.lies.get(organization.public_id, 0),
        )


def _by_organization(told: Sequence[str]) -> Mapping[str, int]:
    pairs = (each.partition("=") for each in told)
    return {organization: signed_share(text) for organization, _, text in pairs}
