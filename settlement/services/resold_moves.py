"""What becomes of a contract becomes of what was resold of it: it is delivered under that one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from settlement.models import CONTRACT_MOVES, Contract, ContractMove, ContractState
from settlement.services.announcing import Move, tell_contracts_moved

CODE = "first_contract"
ACTOR = "first contract"
# Beginning in time is each contract's own affair; all else comes from the first.
RESUMED_FROM = (ContractState.DEGRADED, ContractState.CURTAILED)
FOLLOWED = frozenset(
    {
        ContractState.ACTIVE,
        ContractState.DEGRADED,
        ContractState.CURTAILED,
        ContractState.RECLAIMING,
        ContractState.DEFAULTED,
        ContractState.ENDED,
    }
)
RESOLD = """
SELECT resold.id, resold.state, first.id, first.reclaim_at
FROM settlement_resale AS resale
JOIN settlement_contract AS resold ON resold.resale_id = resale.id AND resold.ended_at IS NULL
JOIN settlement_contract AS first ON first.id = resale.contract_id
WHERE resale.contract_id = ANY(%s)
ORDER BY resold.id FOR NO KEY UPDATE OF resold
"""


class DeliveredUnderAnother(Exception):
    """Resold hours are delivered, reclaimed and curtailed under the contract they come from."""


def refuse_resold(contract: Contract) -> None:
    """Raise DeliveredUnderAnother for a contract that came from a resale."""
    if contract.resale_id is not None:
        raise DeliveredUnderAnother(f"contract {contract.public_id} was resold from another")


def follow_first(moves: Sequence[Move], *, now: datetime) -> None:
    """Move what was resold of these contracts as they moved, and what was resold of that."""
    by_first = {move.contract_id: move for move in moves if move.state in FOLLOWED}
    if not by_first:
        return
    with connection.cursor() as cursor:
        cursor.execute(RESOLD, [list(by_first)])
        rows = cursor.fetchall()
    followed = [
        (Move(contract_id=pk, was=state, state=first.state, reason=first.reason), reclaim_at)
        for pk, state, first_id, reclaim_at in rows
        for first in (by_first[first_id],)
        if _follows(state, first.state)
    ]
    for each, reclaim_at in followed:
        _make(each, reclaim_at, now)
    told = [each for each, _ in followed]
    tell_contracts_moved(told, now=now)
    follow_first(told, now=now)


def _follows(state: str, to: str) -> bool:
    if to not in CONTRACT_MOVES[state]:
        return False
    return to != ContractState.ACTIVE or state in RESUMED_FROM


def _make(each: Move, reclaim_at: datetime | None, now: datetime) -> None:
    why = {"reason_code": CODE, "reason": each.reason, "actor": ACTOR}
    changes: Mapping[str, object] = {"reclaim_at": reclaim_at} if reclaim_at else {}
    if not CONTRACT_MOVES[each.state]:
        changes = {"ended_at": now}
    Contract.objects.filter(pk=each.contract_id).update(state=each.state, **why, **changes)
    ContractMove.objects.create(
        contract_id=each.contract_id,
        was=each.was,
        state=each.state,
        planned_at=reclaim_at,
        moved_at=now,
        **why,
    )
