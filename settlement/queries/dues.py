"""What contracts have come to so far: contracted, delivered, and owed by the last reckoning."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery, Sum

from settlement.models import DeliveryPeriod, SettlementRun

MILLISECONDS_AN_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Due:
    """The sum of the last runs of a contract's periods; money in micro-units.

    ``buyer_micros`` is what the buyer owes with its fee and after credits for shortfalls,
    ``seller_micros`` what the provider is owed after its fee and penalties.
    """

    contracted_ms: int = 0
    delivered_ms: int = 0
    buyer_micros: int = 0
    seller_micros: int = 0

    @property
    def shortfall_ms(self) -> int:
        """What was contracted and not delivered, in accelerator-milliseconds."""
        return self.contracted_ms - self.delivered_ms


def latest_runs(contract_ids: Collection[int]) -> QuerySet[SettlementRun]:
    """Return the last run of each settled period of these contracts."""
    last = SettlementRun.objects.filter(period=OuterRef("pk")).order_by("-run_no")
    settled = DeliveryPeriod.objects.filter(contract_id__in=contract_ids)
    return SettlementRun.objects.filter(
        pk__in=settled.annotate(last_run=Subquery(last.values("pk")[:1])).values("last_run")
    )


def dues_of(contract_ids: Collection[int]) -> dict[int, Due]:
    """Return what each contract has come to; one that was never settled has no row."""
    rows = (
        latest_runs(contract_ids)
        .order_by()
        .values("period__contract_id")
        .annotate(
            contracted=Sum("contracted_ms"),
            delivered=Sum("delivered_ms"),
            buyer=Sum("buyer_due_micros"),
            seller=Sum("seller_due_micros"),
            buyer_fee=Sum("buyer_fee_micros"),
            seller_fee=Sum("seller_fee_micros"),
            penalty=Sum("penalty_micros"),
        )
    )
    return {
        row["period__contract_id"]: Due(
            contracted_ms=row["contracted"],
            delivered_ms=row["delivered"],
            buyer_micros=row["buyer"] + row["buyer_fee"] - row["penalty"],
            seller_micros=row["seller"] - row["seller_fee"] - row["penalty"],
        )
        for row in rows
    }
