"""The rules that an audit asks, from every package that has some.

Settlement does not know the auction house: ``exchange`` registers its own rules when it starts.
"""

from collections.abc import Iterable

from settlement.queries.invariants.auctions import AUCTIONS
from settlement.queries.invariants.cash import CASH
from settlement.queries.invariants.delivery import DELIVERY
from settlement.queries.invariants.ledger import LEDGER
from settlement.queries.invariants.metering import METERING
from settlement.queries.invariants.resales import RESALES
from settlement.queries.invariants.risk import RISK
from settlement.queries.invariants.rule import Invariant
from settlement.queries.invariants.statements import STATEMENTS

_invariants: list[Invariant] = [
    *(*LEDGER, *DELIVERY, *METERING, *STATEMENTS, *AUCTIONS, *CASH, *RISK, *RESALES)
]


def register(invariants: Iterable[Invariant]) -> None:
    """Add rules to every audit from now on; the same rule again changes nothing."""
    _invariants.extend(each for each in invariants if each not in _invariants)


def all_invariants() -> list[Invariant]:
    """Return all rules, by their number."""
    return sorted(_invariants)
