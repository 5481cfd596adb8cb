"""Contracts move by the clock, as sets, each step with a row that says when and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from settlement.models import CONTRACT_MOVES, Contract, ContractMove, ContractState
from settlement.services.announcing import Move, tell_contracts_moved

MOST = 10_000  # contracts a step; the rest are due at the next knock


@dataclass(frozen=True, slots=True)
class _Step:
    was: ContractState
    to: ContractState
    planned: str  # the column that says when
    reason: str
    stamp: str = ""  # the column that takes the time as it was
    lead: timedelta = timedelta()

    def __post_init__(self) -> None:
        assert self.to in CONTRACT_MOVES[self.was], self


_OVER = "its time is over"
STEPS = (
    _Step(
        ContractState.SCHEDULED,
        ContractState.PROVISIONING,
        "starts_at",
        "it starts soon",
        lead=timedelta(minutes=30),
    ),
    _Step(
        ContractState.PROVISIONING,
        ContractState.ACTIVE,
        "starts_at",
        "its time began",
        "started_at",
    ),
    _Step(ContractState.ACTIVE, ContractState.ENDED, "ends_at", _OVER, "ended_at"),
    _Step(ContractState.DEGRADED, ContractState.ENDED, "ends_at", _OVER, "ended_at"),
    _Step(ContractState.RECLAIMING, ContractState.ENDED, "ends_at", _OVER, "ended_at"),
)


def advance_contracts(now: datetime) -> int:
    """Make every move that is due by the clock; return how many. A repeat makes none."""
    return sum(_advance(step, now) for step in STEPS)


def _advance(step: _Step, now: datetime) -> int:
    """Make one kind of move; contracts that somebody else is moving are left to them."""
    stamp = {step.stamp: now} if step.stamp else {}
    with transaction.atomic():
        due = dict(
            Contract.objects.filter(state=step.was, **{f"{step.planned}__lte": now + step.lead})
            .order_by("pk")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", step.planned)[:MOST]
        )
        Contract.objects.filter(pk__in=due).update(state=step.to, reason=step.reason, **stamp)
        ContractMove.objects.bulk_create(
            ContractMove(
                contract_id=contract_id,
                was=step.was,
                state=step.to,
                reason=step.reason,
                planned_at=planned_at,
                moved_at=now,
            )
            for contract_id, planned_at in due.items()
        )
        moves = [
            Move(contract_id=each, was=step.was, state=step.to, reason=step.reason) for each in due
        ]
        tell_contracts_moved(moves, now=now)
    return len(due)
