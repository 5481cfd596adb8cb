"""Position limits: set by the operator, kept at the door of bids.

Only an organization that has a limit waits here, and only for its own other bidders: its bids in
the market are added up under the lock on its limit.
"""

from collections import defaultdict
from typing import Final

from django.db import connection, transaction

from accounts.models import Organization
from accounts.models.callers import Caller
from accounts.services.audit_rows import record
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, MICROS, format_scaled
from exchange.models import PositionLimit
from exchange.queries.bid_terms import BidTerms, unit_lot_minutes
from settlement.services.deposits import NotAnOperator

LOCK: Final = """
SELECT lot_minutes_max, cost_micros_max FROM exchange_positionlimit
WHERE organization_id = %s FOR NO KEY UPDATE
"""
# Alternatives of one job count once, with the largest of them.
POSITIONS: Final = """
SELECT auction_id, CASE "group" WHEN '' THEN public_id ELSE 'group ' || "group" END AS job,
       max(ceil(coalesce(volume_lot_minutes, quantity_lots * coalesce(
           duration_minutes, extract(epoch FROM ends_at - starts_at)::bigint / 60))
           * (SELECT max(factor) FROM unnest(factors_micros) AS factor) / 1000000))::bigint,
       max(greatest_cost_micros)
FROM exchange_bid WHERE organization_id = %s AND state IN ('accepted', 'standing')
GROUP BY 1, 2
"""
STANDING: Final = None  # in the place of an auction's id
OF_NO_AUCTION: Final = 0  # likewise: what is bought from hand to hand
Position = tuple[int, int]
"""Accelerators in lots times minutes, and the greatest cost in micro-units."""


class PositionLimitExceeded(Exception):
    """With this bid the organization would ask for more in the auction than the operator allows."""


def set_position_limit(
    organization: Organization,
    *,
    lot_minutes_max: int | None,
    cost_micros_max: int | None,
    reason: str,
    actor: Caller,
) -> PositionLimit:
    """Bound what an organization may bid for in one auction from now on; None does not bound.

    Bids that are in the market stay. Raises NotAnOperator, ReasonMissing.
    """
    if not actor.operates:
        raise NotAnOperator("only an operator of the market does this")
    if not reason.strip():
        raise ReasonMissing("a position limit needs a reason")
    with transaction.atomic():
        limit, _ = PositionLimit.objects.update_or_create(
            organization=organization,
            defaults={
                "lot_minutes_max": lot_minutes_max,
                "cost_micros_max": cost_micros_max,
                "reason": reason.strip()[:200],
                "actor": actor.signature,
                "set_at": market_now(),
            },
        )
        bounds = f"lot-minutes {lot_minutes_max}, micros {cost_micros_max}: {reason.strip()}"
        record(actor, "set_position_limit", limit, bounds)
    return limit


class Positions:
    """What an organization with a limit asks for, counted up bid by bid."""

    def __init__(self, lot_minutes_max: int | None, cost_micros_max: int | None) -> None:
        self._most = (lot_minutes_max, cost_micros_max)
        self._jobs: dict[int | None, dict[str, Position]] = defaultdict(dict)

    def count(self, auction_id: int | None, job: str, position: Position) -> None:
        """Count a bid; alternatives of a job count once."""
        kept = self._jobs[auction_id].get(job, (0, 0))
        self._jobs[auction_id][job] = (max(kept[0], position[0]), max(kept[1], position[1]))

    def refusal_of_bid(self, terms: BidTerms) -> PositionLimitExceeded | None:
        """Return why a bid is too much, or count it and return None."""
        job = f"group {terms.group}" if terms.group else f"new {len(self._jobs[terms.auction_id])}"
        return self.refusal_of(terms.auction_id, job, position_of(terms))

    def refusal_of(
        self, auction_id: int | None, job: str, position: Position
    ) -> PositionLimitExceeded | None:
        """Return why it is too much, or count it and return None."""
        before = dict(self._jobs[auction_id])
        self.count(auction_id, job, position)
        for place, what in ((0, "accelerator-hours"), (1, "money")):
            most, asked = self._most[place], self._greatest(auction_id, place)
            if most is not None and asked > most:
                self._jobs[auction_id] = before
                scale = LOTS * 60 if place == 0 else MICROS
                said = f"{_decimal(asked, scale)} {what}; the limit is {_decimal(most, scale)}"
                return PositionLimitExceeded(said)
        return None

    def _greatest(self, auction_id: int | None, place: int) -> int:
        """Return the position in an auction with the standing bids, which may enter any."""
        standing = self._sum(STANDING, place)
        if auction_id is not STANDING:
            return standing + self._sum(auction_id, place)
        others = [self._sum(each, place) for each in self._jobs if each is not STANDING]
        return standing + max(others, default=0)

    def _sum(self, auction_id: int | None, place: int) -> int:
        return sum(position[place] for position in self._jobs[auction_id].values())


def positions_of(organization_id: int) -> Positions | None:
    """Return the positions of an organization that has a limit, locked; None if it has none."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [organization_id])
        limit = cursor.fetchone()
        if limit is None:
            return None
        positions = Positions(*limit)
        cursor.execute(POSITIONS, [organization_id])
        for auction_id, job, lot_minutes, cost in cursor.fetchall():
            positions.count(auction_id, job, (lot_minutes, cost))
    return positions


def position_of(terms: BidTerms) -> Position:
    """Return the most accelerators that a bid may get, times minutes, and what it can cost."""
    units = unit_lot_minutes(
        window=terms.ends_at - terms.starts_at,
        quantity_lots=terms.quantity_lots,
        duration_minutes=terms.duration_minutes,
        volume_lot_minutes=terms.volume_lot_minutes,
    )
    return -(-units * max(terms.factors_micros) // MICROS), terms.greatest_cost_micros


def _decimal(number: int, scale: int) -> str:
    return format_scaled(number * MICROS // scale, scale=MICROS)
