"""Markets that may be selling from a resale: asked before it ends.

Settlement has never heard of an auction: the house that runs one registers itself when it starts.
"""

from collections.abc import Callable

Promises = Callable[[int], bool]
"""From a resale's row to whether a market may still sell from it."""
_markets: list[Promises] = []


def register_market(promises: Promises) -> None:
    """Ask this market from now on; the same market again changes nothing."""
    if promises not in _markets:
        _markets.append(promises)


def is_promised(resale_id: int) -> bool:
    """Return whether any market may still sell from this resale."""
    return any(promises(resale_id) for promises in _markets)
