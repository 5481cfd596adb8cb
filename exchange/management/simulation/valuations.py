"""What a job is worth: three rules, since no trace says. Limits per unit-hour."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from exchange.management.simulation import assumptions as assumed
from exchange.management.traces.drafts import BidDraft, draw, on_tick

Rule = Callable[[BidDraft, float], float]
"""Takes a bid and a standard normal; gives the limit as a share of the list price."""


def _lognormal(bid: BidDraft, chance: float) -> float:
    return assumed.LOGNORMAL_MEDIAN * math.exp(assumed.LOGNORMAL_SPREAD * chance)


def _urgency(bid: BidDraft, chance: float) -> float:
    """Less for each hour that the job could wait beyond what it needs."""
    needed = bid.duration or math.ceil((bid.volume or bid.quantity) / bid.quantity)
    slack = max(0, bid.end - bid.first - needed)
    share = assumed.URGENT * math.pow(assumed.PER_HOUR_WAITED, slack)
    return max(assumed.PATIENT_LEAST, share) * math.exp(assumed.URGENCY_NOISE * chance)


def _size(bid: BidDraft, chance: float) -> float:
    """More for each doubling of the GPUs that the job asks for."""
    share = assumed.SIZE_AT_ONE * math.pow(assumed.PER_DOUBLING, math.log2(bid.quantity))
    return share * math.exp(assumed.SIZE_NOISE * chance)


RULES: Final[dict[str, Rule]] = {"lognormal": _lognormal, "urgency": _urgency, "size": _size}


def value_bids(
    bids: list[BidDraft],
    *,
    rule: str,
    seed: str,
    listed: Callable[[BidDraft], float],
) -> list[BidDraft]:
    """Return the bids with limits by a rule; the same jobs, windows and chips under every rule."""
    worth = RULES[rule]
    return [
        replace(bid, price=on_tick(listed(bid) * worth(bid, draw(rule, seed, bid.name).gauss())))
        for bid in bids
    ]
