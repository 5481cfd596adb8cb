"""What a season must come to: it is known beforehand, so whatever was lost or done twice shows."""

from datetime import datetime

from django.db.models import Count, QuerySet, Sum

from settlement.models import (
    Contract,
    DeliveryPeriod,
    PeriodState,
    Reading,
    ReadingEvent,
    SettlementRun,
    Statement,
    StatementState,
    Transfer,
    TransferCode,
)
from settlement.services.statement_drafts import month_of
from tests.settlement.deliveries import HOUR, HOUR_MS, MINUTE, broken

BUYERS, PROVIDERS = 3, 2
EVERY = 5 * MINUTE
READINGS = HOUR // EVERY  # of one delivered hour
MONEY_MICROS = 10**12
PAID_IN_MICROS = 1_000_000
RUNS = 4


def delivered_ms(contract_no: int) -> int:
    """Return what a contract gets of each hour: the later it was made, the less."""
    return HOUR_MS * (10 - contract_no) // 10


def what_is_wrong(days: int) -> list[str]:
    """Return what is lost, was done twice, or breaks a rule of the books."""
    periods = BUYERS * PROVIDERS * days
    paid_in = MONEY_MICROS * BUYERS + PAID_IN_MICROS * days
    asked: list[tuple[str, object, object]] = [
        ("events", ReadingEvent.objects.count(), periods * READINGS),
        ("readings", Reading.objects.count(), periods * READINGS),
        ("final periods", _final().count(), periods),
        ("runs", SettlementRun.objects.count(), RUNS * periods),
        ("deposits", _deposits(), {"count": BUYERS + days, "sum": paid_in}),
        ("periods settled for another time", _misjudged(), []),
        ("statements", _statements(), _parties_in_months()),
    ]
    said = [f"{what}: {found}, and not {right}" for what, found, right in asked if found != right]
    return said + broken()


def _final() -> QuerySet[DeliveryPeriod]:
    return DeliveryPeriod.objects.filter(state=PeriodState.FINAL)


def _deposits() -> dict[str, int]:
    rows = Transfer.objects.filter(code=TransferCode.DEPOSIT)
    return rows.aggregate(count=Count("pk"), sum=Sum("amount_micros"))


def _misjudged() -> list[tuple[int, int, int]]:
    """Return contract, run and milliseconds of what was settled for another time than delivered."""
    right = {pk: delivered_ms(number) for number, pk in enumerate(_contract_ids())}
    rows = SettlementRun.objects.values_list("period__contract", "run_no", "delivered_ms")
    return [row for row in rows if row[2] != right[row[0]]]


def _contract_ids() -> list[int]:
    return list(Contract.objects.order_by("pk").values_list("pk", flat=True))


def _statements() -> list[tuple[str, datetime]]:
    """Return party and month of each finalized statement."""
    rows = Statement.objects.filter(state=StatementState.FINALIZED).select_related("organization")
    return sorted((row.organization.name, month_of(row.starts_at)[0]) for row in rows)


def _parties_in_months() -> list[tuple[str, datetime]]:
    """Return each party and month in which a run concerned it."""
    rows = SettlementRun.objects.values_list(
        "ran_at", "period__contract__buyer__name", "period__contract__provider__name"
    )
    return sorted({(name, month_of(at)[0]) for at, *names in rows for name in names})
