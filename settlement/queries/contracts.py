"""Contracts with their delivery periods, as their parties and the operator read them."""

from dataclasses import dataclass

from django.db.models import QuerySet

from accounts.models import Caller
from settlement.models import Contract, DeliveryPeriod, SettlementRun
from settlement.queries.dues import latest_runs
from settlement.queries.hours import hour_of


@dataclass(frozen=True, slots=True)
class PeriodStory:
    """A delivery period and the last reckoning of it, if there was one."""

    period: DeliveryPeriod
    run: SettlementRun | None

    @property
    def hour(self) -> str:
        """The name of the hour in addresses."""
        return hour_of(self.period.starts_at)


def contracts_shown(caller: Caller) -> QuerySet[Contract]:
    """Return the contracts that the caller may see, with their parties."""
    return Contract.objects.visible_to(caller).select_related("buyer", "provider", "resale")


def periods_of(contract: Contract) -> list[PeriodStory]:
    """Return a contract's periods in order of time, each with its last run."""
    runs = {run.period_id: run for run in latest_runs([contract.pk])}
    periods = contract.periods.order_by("starts_at")
    return [PeriodStory(period, runs.get(period.pk)) for period in periods]
