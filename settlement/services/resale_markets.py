"""Markets that trade the same capacity as resales: asked before one ends, or is bought.

Settlement has never heard of an auction: the house that runs one registers itself when it starts.
"""

from collections.abc import Callable
from typing import NamedTuple

from settlement.services.contract_terms import ContractTerms


class MarketRefuses(Exception):
    """An operator has halted what it needs, or it is more than the buyer may take on at once."""


Promises = Callable[[int], bool]
"""From a resale's row to whether a market may still sell from it."""
Gate = Callable[[ContractTerms, int], None]
"""From what a buyer would agree to, and what that costs at most in micro-units, to nothing.

It raises MarketRefuses where the market would not sell it that.
"""


class Market(NamedTuple):
    """What a market answers."""

    promises: Promises
    gate: Gate


_markets: list[Market] = []


def register_market(market: Market) -> None:
    """Ask this market from now on; the same market again changes nothing."""
    if market not in _markets:
        _markets.append(market)


def is_promised(resale_id: int) -> bool:
    """Return whether any market may still sell from this resale."""
    return any(market.promises(resale_id) for market in _markets)


def refuse_past_the_gate(terms: ContractTerms, cost_micros: int) -> None:
    """Raise MarketRefuses where any market would not sell this to its buyer now."""
    for market in _markets:
        market.gate(terms, cost_micros)
