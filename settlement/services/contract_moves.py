"""Contracts move by the clock and by their meters, as sets, each step with a row that says why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from settlement.models import CONTRACT_MOVES, Contract, ContractMove, ContractState
from settlement.services.announcing import Move, tell_contracts_moved
from settlement.services.resold_moves import follow_first

MOST = 10_000  # contracts a step; the rest are due at the next knock
CLOCK = "clock"
METERS = "meters"


@dataclass(frozen=True, slots=True)
class _Step:
    was: ContractState
    to: ContractState
    planned: str  # the column that says when
    code: str
    reason: str
    stamp: str = ""  # the column that takes the time as it was
    lead: timedelta = timedelta()
    actor: str = CLOCK

    def __post_init__(self) -> None:
        assert self.to in CONTRACT_MOVES[self.was], self


_OVER = ("time_over", "its time is over", "ended_at")
_ACTIVE, _DEGRADED = ContractState.ACTIVE, ContractState.DEGRADED
_CURTAILED, _RECLAIMING = ContractState.CURTAILED, ContractState.RECLAIMING
STEPS = (
    _Step(
        ContractState.SCHEDULED,
        ContractState.PROVISIONING,
        "starts_at",
        "starts_soon",
        "it starts soon",
        lead=timedelta(minutes=30),
    ),
    _Step(
        ContractState.PROVISIONING,
        _ACTIVE,
        "starts_at",
        "time_began",
        "its time began",
        "started_at",
    ),
    _Step(
        _RECLAIMING,
        ContractState.ENDED,
        "reclaim_at",
        "notice_over",
        "the notice is over",
        "ended_at",
    ),
    *(
        _Step(was, ContractState.ENDED, "ends_at", *_OVER)
        for was in (_ACTIVE, _DEGRADED, _CURTAILED, _RECLAIMING)
    ),
)
_LIFTED = _Step(_CURTAILED, _ACTIVE, "", "curtailment_over", "the curtailment is over")
_SILENT = _Step(_ACTIVE, _DEGRADED, "", "silent", "no meter has been heard", actor=METERS)
_HEARD = _Step(_DEGRADED, _ACTIVE, "", "heard", "its meters are heard again", actor=METERS)

# A curtailment whose end has come, with no other that is still on.
CURTAILED_UNTIL = """
SELECT contract.id, max(outage.ends_at) FROM settlement_contract AS contract
JOIN settlement_excusedoutage AS outage
    ON outage.contract_id = contract.id AND outage.cause <> 'reclaimed'
WHERE contract.state = 'curtailed' AND contract.ends_at > %(now)s
GROUP BY contract.id
HAVING bool_and(outage.ends_at IS NOT NULL AND outage.ends_at <= %(now)s)
LIMIT 10000
"""
HEARD_OF = """
EXISTS (
    SELECT FROM settlement_deviceassignment AS assignment
    JOIN settlement_readingstream AS stream
        ON stream.device_id = assignment.device_id AND stream.last_ends_at > %(since)s
       AND stream.last_ends_at > assignment.starts_at
    JOIN settlement_meter AS meter ON meter.id = stream.meter_id AND meter.party = 'provider'
    WHERE assignment.contract_id = contract.id)
"""
GONE_SILENT = f"""
SELECT contract.id, NULL::timestamptz FROM settlement_contract AS contract
WHERE contract.state = 'active' AND contract.ended_at IS NULL AND contract.ends_at > %(now)s
  AND contract.resale_id IS NULL
  AND greatest(contract.starts_at, contract.started_at) <= %(since)s AND NOT {HEARD_OF}
LIMIT 10000
"""  # noqa: S608
HEARD_AGAIN = f"""
SELECT contract.id, NULL::timestamptz FROM settlement_contract AS contract
WHERE contract.state = 'degraded' AND contract.ends_at > %(now)s AND contract.resale_id IS NULL
  AND {HEARD_OF} LIMIT 10000
"""  # noqa: S608


def advance_contracts(now: datetime) -> int:
    """Make every move that is due by the clock; return how many. A repeat makes none."""
    moved = sum(_advance(step, now) for step in STEPS)
    return moved + _follow(_LIFTED, CURTAILED_UNTIL, now)


def follow_heartbeats(now: datetime) -> int:
    """Degrade contracts whose meters went silent, and restore those heard again; return how many.

    Silence ends no contract: what was delivered is read from the counters once they come.
    """
    return _follow(_HEARD, HEARD_AGAIN, now) + _follow(_SILENT, GONE_SILENT, now)


def _advance(step: _Step, now: datetime) -> int:
    """Make one kind of move; contracts that somebody else is moving are left to them."""
    with transaction.atomic():
        planned = (
            F(step.planned) if step.planned != "reclaim_at" else Coalesce("reclaim_at", "ends_at")
        )
        due = dict(
            Contract.objects.filter(state=step.was)
            .annotate(planned=planned)
            .filter(planned__lte=now + step.lead)
            .order_by("pk")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", "planned")[:MOST]
        )
        _make(step, due, now)
    return len(due)


def _follow(step: _Step, query: str, now: datetime) -> int:
    """Make a move of every contract that ``query`` finds, unless it was moved meanwhile."""
    since = now - timedelta(minutes=settings.HEARTBEAT_MINUTES)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(query, {"now": now, "since": since})
            found: dict[int, datetime | None] = dict(cursor.fetchall())
        still = (
            Contract.objects.filter(pk__in=found, state=step.was)
            .order_by("pk")
            .select_for_update(skip_locked=True, no_key=True)
            .values_list("pk", flat=True)
        )
        due = {contract_id: found[contract_id] for contract_id in still}
        _make(step, due, now)
    return len(due)


def _make(step: _Step, due: Mapping[int, datetime | None], now: datetime) -> None:
    """Move contracts that are locked, and write down what was planned and what was done."""
    if not due:
        return
    stamp = {step.stamp: now} if step.stamp else {}
    why = {"reason_code": step.code, "reason": step.reason, "actor": step.actor}
    Contract.objects.filter(pk__in=due).update(state=step.to, **why, **stamp)
    ContractMove.objects.bulk_create(
        ContractMove(
            contract_id=contract_id,
            was=step.was,
            state=step.to,
            planned_at=planned_at,
            moved_at=now,
            **why,
        )
        for contract_id, planned_at in due.items()
    )
    moves = [
        Move(contract_id=each, was=step.was, state=step.to, reason=step.reason) for each in due
    ]
    tell_contracts_moved(moves, now=now)
    follow_first(moves, now=now)
