"""What a provider has to deliver in a stretch of time, and what of it was delivered and earned."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

# A period counts in the stretch in which it begins; what was reckoned is its last run's.
_PLACES = """
SELECT contract.site_code, contract.accelerator_code,
       sum(period.quantity_lots * extract(epoch FROM period.ends_at - period.starts_at))::bigint,
       coalesce(sum(run.contracted_ms), 0)::bigint,
       coalesce(sum(run.delivered_ms), 0)::bigint,
       coalesce(sum(run.seller_due_micros - run.seller_fee_micros - run.penalty_micros), 0)::bigint
FROM settlement_contract AS contract
JOIN settlement_deliveryperiod AS period ON period.contract_id = contract.id
LEFT JOIN LATERAL (SELECT * FROM settlement_settlementrun AS one WHERE one.period_id = period.id
                   ORDER BY one.run_no DESC LIMIT 1) AS run ON true
WHERE contract.provider_id = %(provider)s
  AND contract.starts_at < %(ends_at)s AND contract.ends_at > %(starts_at)s
  AND period.starts_at >= %(starts_at)s AND period.starts_at < %(ends_at)s
GROUP BY 1, 2
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class PlaceDelivered:
    """One accelerator at one site; times in accelerator-milliseconds, money in micro-units.

    ``contracted_ms`` is all that is due, ``reckoned_ms`` the part of it whose hours were settled
    at least once; only of that part something is delivered, short or earned yet. Earnings are
    those after the fee and after penalties.
    """

    site: str
    accelerator: str
    contracted_ms: int
    reckoned_ms: int
    delivered_ms: int
    earned_micros: int

    @property
    def shortfall_ms(self) -> int:
        """What was reckoned and not delivered."""
        return self.reckoned_ms - self.delivered_ms


def delivered_places(
    provider_id: int, starts_at: datetime, ends_at: datetime
) -> list[PlaceDelivered]:
    """Return what a provider has contracted between two moments, by site and accelerator."""
    given: dict[str, Any] = {"provider": provider_id, "starts_at": starts_at, "ends_at": ends_at}
    with connection.cursor() as cursor:
        cursor.execute(_PLACES, given)
        return [PlaceDelivered(*row) for row in cursor.fetchall()]


def total_of(places: Iterable[PlaceDelivered]) -> PlaceDelivered:
    """Return the sum over places; its codes are empty."""
    rows = [(p.contracted_ms, p.reckoned_ms, p.delivered_ms, p.earned_micros) for p in places]
    contracted, reckoned, delivered, earned = map(sum, zip(*rows, strict=True)) if rows else [0] * 4
    return PlaceDelivered("", "", contracted, reckoned, delivered, earned)
