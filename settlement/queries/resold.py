"""What of a contract's periods is resold, and what is still its buyer's to use or to sell on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

# Resold periods may be shorter than the one that they come from: what counts is the fullest
# moment. A resale keeps for itself what it has not sold; one without a quantity keeps all.
LEFT = """
WITH period AS (
    SELECT period.id, contract_id, starts_at, ends_at, quantity_lots
    FROM settlement_deliveryperiod AS period WHERE contract_id = ANY(%(contracts)s)
), sold AS (
    SELECT begun.resold_from_id AS period_id, begun.starts_at,
           sum(running.quantity_lots)::bigint AS lots
    FROM period
    JOIN settlement_deliveryperiod AS begun ON begun.resold_from_id = period.id
    JOIN settlement_deliveryperiod AS running
        ON running.resold_from_id = period.id AND running.starts_at <= begun.starts_at
       AND running.ends_at > begun.starts_at
    GROUP BY begun.id
), sold_by AS (
    SELECT begun.resold_from_id AS period_id, contract.resale_id, begun.starts_at,
           sum(running.quantity_lots)::bigint AS lots
    FROM period
    JOIN settlement_deliveryperiod AS begun ON begun.resold_from_id = period.id
    JOIN settlement_contract AS contract ON contract.id = begun.contract_id
    JOIN settlement_deliveryperiod AS running
        ON running.resold_from_id = period.id AND running.starts_at <= begun.starts_at
       AND running.ends_at > begun.starts_at
    JOIN settlement_contract AS other
        ON other.id = running.contract_id AND other.resale_id = contract.resale_id
    GROUP BY begun.id, contract.resale_id
), kept AS (
    SELECT period.id AS period_id, bool_or(resale.quantity_lots IS NULL) AS keeps_all,
           sum(greatest(resale.quantity_lots - coalesce((
               SELECT max(lots) FROM sold_by
               WHERE sold_by.period_id = period.id AND sold_by.resale_id = resale.id), 0), 0)
           )::bigint AS lots
    FROM period
    JOIN settlement_resale AS resale
        ON resale.contract_id = period.contract_id AND resale.state = 'open'
       AND resale.starts_at < period.ends_at AND resale.ends_at > period.starts_at
    GROUP BY period.id
)
SELECT period.id, period.contract_id, period.starts_at, period.ends_at, period.quantity_lots,
       coalesce((SELECT max(lots) FROM sold WHERE sold.period_id = period.id), 0),
       coalesce(kept.lots, 0), coalesce(kept.keeps_all, false)
FROM period LEFT JOIN kept ON kept.period_id = period.id
ORDER BY period.contract_id, period.starts_at
"""


@dataclass(frozen=True, slots=True)
class Left:
    """One period of a contract: how much there is, how much is resold, and kept for resales.

    Lots of 0.001 accelerators. ``keeps_all``: an open resale takes whatever is left.
    """

    period_id: int
    contract_id: int
    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    sold_lots: int
    kept_lots: int
    keeps_all: bool

    @property
    def unsold_lots(self) -> int:
        """What was not resold, be it on sale or not."""
        return self.quantity_lots - self.sold_lots

    @property
    def free_lots(self) -> int:
        """What can still be put on sale."""
        return 0 if self.keeps_all else max(self.unsold_lots - self.kept_lots, 0)


def left_of(contract_ids: Sequence[int]) -> list[Left]:
    """Return what is left of each period of these contracts, in order of time."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT, {"contracts": list(contract_ids)})
        return [Left(*row) for row in cursor.fetchall()]
