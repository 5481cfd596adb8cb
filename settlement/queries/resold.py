"""What of a contract's periods is resold, and what is still its buyer's to use or to sell on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from settlement.models import Resale

# Resold periods may be shorter than the one that they come from: what counts is the fullest
# moment. A resale keeps for itself what it has not sold; one without a quantity keeps all.
_SOLD = """
WITH period AS (
    SELECT period.id, contract_id, starts_at, ends_at, quantity_lots
    FROM settlement_deliveryperiod AS period WHERE contract_id = ANY(%(contracts)s)
), begun AS (
    SELECT resold.resold_from_id AS period_id, contract.resale_id, resold.id, resold.starts_at,
           resold.ends_at, resold.quantity_lots
    FROM period
    JOIN settlement_deliveryperiod AS resold ON resold.resold_from_id = period.id
    JOIN settlement_contract AS contract ON contract.id = resold.contract_id
), moment AS (
    SELECT begun.period_id, begun.id, begun.resale_id, sum(running.quantity_lots)::bigint AS lots,
           sum(running.quantity_lots) FILTER (
               WHERE running.resale_id = begun.resale_id)::bigint AS own_lots
    FROM begun
    JOIN begun AS running
        ON running.period_id = begun.period_id AND running.starts_at <= begun.starts_at
       AND running.ends_at > begun.starts_at
    GROUP BY begun.period_id, begun.id, begun.resale_id
), sold AS (
    SELECT period_id, max(lots) AS lots FROM moment GROUP BY period_id
), sold_by AS (
    SELECT period_id, resale_id, max(own_lots) AS lots FROM moment GROUP BY period_id, resale_id
), open AS (
    SELECT resale.id, period.id AS period_id, resale.quantity_lots,
           greatest(resale.quantity_lots - coalesce(sold_by.lots, 0), 0) AS lots
    FROM period
    JOIN settlement_resale AS resale
        ON resale.contract_id = period.contract_id AND resale.state = 'open'
       AND resale.starts_at < period.ends_at AND resale.ends_at > period.starts_at
    LEFT JOIN sold_by ON sold_by.period_id = period.id AND sold_by.resale_id = resale.id
), kept AS (
    SELECT period_id, bool_or(quantity_lots IS NULL) AS keeps_all,
           coalesce(sum(lots) FILTER (WHERE quantity_lots IS NOT NULL), 0)::bigint AS lots
    FROM open GROUP BY period_id
)
"""
LEFT = f"""
{_SOLD} SELECT period.id, period.contract_id, period.starts_at, period.ends_at,
       period.quantity_lots, coalesce(sold.lots, 0), coalesce(kept.lots, 0),
       coalesce(kept.keeps_all, false)
FROM period
LEFT JOIN sold ON sold.period_id = period.id
LEFT JOIN kept ON kept.period_id = period.id
ORDER BY period.contract_id, period.starts_at
"""  # noqa: S608
ON_SALE = f"""
{_SOLD} SELECT open.id, period.id, period.starts_at, period.ends_at,
       CASE WHEN open.quantity_lots IS NULL
            THEN greatest(period.quantity_lots - coalesce(sold.lots, 0) - kept.lots, 0)
            ELSE open.lots END
FROM open
JOIN period ON period.id = open.period_id
JOIN kept ON kept.period_id = period.id
LEFT JOIN sold ON sold.period_id = period.id
WHERE open.id = ANY(%(resales)s)
ORDER BY open.id, period.starts_at
"""  # noqa: S608


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


@dataclass(frozen=True, slots=True)
class OnSale:
    """What an open resale can still sell of one period of its contract, in lots."""

    resale_id: int
    period_id: int
    starts_at: datetime
    ends_at: datetime
    lots: int


def on_sale(resale_ids: Collection[int]) -> list[OnSale]:
    """Return what these resales, as far as they are open, can still sell, period by period."""
    contracts = Resale.objects.filter(pk__in=resale_ids).values_list("contract_id", flat=True)
    given = {"contracts": list(contracts), "resales": list(resale_ids)}
    with connection.cursor() as cursor:
        cursor.execute(ON_SALE, given)
        return [OnSale(*row) for row in cursor.fetchall()]
