"""Contracts, opened in bulk when an auction is published, and moved through their states."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from exchange.foundation.arrays import spelled
from exchange.foundation.market_time import market_now
from exchange.foundation.states import move
from settlement.models import CONTRACT_MOVES, Contract, ContractMove, ContractState
from settlement.models.contracts import new_contract_id
from settlement.services.announcing import Move, tell_contracts_moved, tell_contracts_opened
from settlement.services.collateral import ask_collateral
from settlement.services.contract_terms import ContractTerms, PeriodTerms
from settlement.services.resold_moves import follow_first

__all__ = [
    "ContractDiffers",
    "ContractTerms",
    "PeriodTerms",
    "move_contract",
    "open_contracts",
]

CONTRACT_COLUMNS = (
    "key",
    "buyer_id",
    "provider_id",
    "auction_id",
    "bid_id",
    "hold_key",
    "resale_id",
    "site_code",
    "region_code",
    "accelerator_code",
    "accelerator_kind",
    "domestic",
    "tflops_micros",
    "watts_micros",
    "pue_micros",
    "renewable_micros",
    "currency",
    "tolerance_ppm",
    "penalty_factor_ppm",
    "dispute_days",
    "notice_minutes",
    "buyer_fee_ppm",
    "seller_fee_ppm",
    "run_delays_minutes",
    "starts_at",
    "ends_at",
)
PERIOD_COLUMNS = (
    "starts_at",
    "ends_at",
    "quantity_lots",
    "price_ticks",
    "buyer_price",
    "seller_price",
    "congestion_price",
    "power_price",
    "policy_price",
    "resold_from_id",
)
_DELAYS = CONTRACT_COLUMNS.index("run_delays_minutes")
_contract_terms = attrgetter(*CONTRACT_COLUMNS[1:_DELAYS])
_contract_time = attrgetter(*CONTRACT_COLUMNS[_DELAYS + 1 :])
_period_terms = attrgetter(*PERIOD_COLUMNS)
_CONTRACT = ", ".join(CONTRACT_COLUMNS)
_PERIOD = ", ".join(PERIOD_COLUMNS)
_STATED = ", ".join(f"stated.{name}" for name in CONTRACT_COLUMNS)
_KEPT = ", ".join(f"kept.{name}" for name in CONTRACT_COLUMNS)
_PERIOD_STATED = ", ".join(f"stated.{name}" for name in PERIOD_COLUMNS)
_PERIOD_KEPT = ", ".join(f"kept.{name}" for name in PERIOD_COLUMNS)

# Names of columns are this module's own; every value goes by COPY.
STAGES = f"""
CREATE TEMP TABLE stated_contract ON COMMIT DROP AS
SELECT public_id, {_CONTRACT} FROM settlement_contract WITH NO DATA;
CREATE TEMP TABLE stated_period ON COMMIT DROP AS
SELECT contract.key, {_PERIOD_STATED}
FROM settlement_deliveryperiod AS stated JOIN settlement_contract AS contract ON false
WITH NO DATA;
"""  # noqa: S608
ANALYZE_STAGES = "ANALYZE stated_contract, stated_period"
DROP_STAGES = "DROP TABLE stated_contract, stated_period"
COPY_CONTRACTS = f"COPY stated_contract (public_id, {_CONTRACT}) FROM STDIN"
COPY_PERIODS = f"COPY stated_period (key, {_PERIOD}) FROM STDIN"
INSERT_CONTRACTS = f"""
INSERT INTO settlement_contract (public_id, {_CONTRACT}, state, reason)
SELECT public_id, {_CONTRACT}, 'scheduled', '' FROM stated_contract ORDER BY key
ON CONFLICT (key) DO NOTHING RETURNING key
"""  # noqa: S608
INSERT_PERIODS = f"""
INSERT INTO settlement_deliveryperiod (contract_id, {_PERIOD})
SELECT contract.id, {_PERIOD_STATED}
FROM stated_period AS stated JOIN settlement_contract AS contract USING (key)
ORDER BY contract.id, stated.starts_at
ON CONFLICT (contract_id, starts_at) DO NOTHING
"""  # noqa: S608
DIFFERENT = f"""
SELECT kept.public_id FROM stated_contract AS stated JOIN settlement_contract AS kept USING (key)
WHERE ({_STATED}) IS DISTINCT FROM ({_KEPT})
UNION ALL
SELECT contract.public_id FROM settlement_deliveryperiod AS kept
JOIN settlement_contract AS contract ON contract.id = kept.contract_id
JOIN (SELECT DISTINCT key FROM stated_period) AS named ON named.key = contract.key
LEFT JOIN stated_period AS stated
    ON stated.key = contract.key AND stated.starts_at = kept.starts_at
WHERE ({_PERIOD_STATED}) IS DISTINCT FROM ({_PERIOD_KEPT})
LIMIT 1
"""  # noqa: S608


class ContractDiffers(Exception):
    """A contract with this key was opened before, on other terms."""


def open_contracts(terms: Sequence[ContractTerms]) -> int:
    """Open a contract with its periods for each of ``terms``; return how many are new.

    A repeat opens nothing. Raises ContractDiffers, with nothing opened, where a contract with
    the same key stands on other terms.
    """
    if not terms:
        return 0
    keys = [each.key for each in terms]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAGES)
        _copy(cursor, COPY_CONTRACTS, map(_contract_row, terms, keys))
        _copy(cursor, COPY_PERIODS, _period_rows(terms, keys))
        cursor.execute(ANALYZE_STAGES)  # Else the planner takes them for empty, and nests loops.
        cursor.execute(INSERT_CONTRACTS)
        opened = [key for (key,) in cursor.fetchall()]
        cursor.execute(INSERT_PERIODS)
        if len(opened) < len(keys):  # Those that are all new stand on the terms stated.
            _insist_on_terms(cursor)
        cursor.execute(DROP_STAGES)
        ask_collateral(keys)
        tell_contracts_opened(opened, now=market_now())
    return len(opened)


def _insist_on_terms(cursor: CursorWrapper) -> None:
    cursor.execute(DIFFERENT)
    different = cursor.fetchone()
    if different:
        raise ContractDiffers(f"contract {different[0]} stands on other terms")


def move_contract(
    contract: Contract,
    to: ContractState,
    *,
    reason: str,
    reason_code: str = "by_hand",
    actor: str = "",
    planned_at: datetime | None = None,
) -> None:
    """Move one contract, with a reason. Raises IllegalMove, or LostRace if it moved meanwhile.

    ``planned_at`` is when the move ends by plan, where there is one.
    """
    now = market_now()
    was = contract.state
    why = {"reason_code": reason_code, "reason": reason, "actor": actor}
    with transaction.atomic():
        move(contract, to=to, moves=CONTRACT_MOVES, **why, **_times(to, contract, now))
        ContractMove.objects.create(
            contract=contract, was=was, state=to, planned_at=planned_at, moved_at=now, **why
        )
        told = Move(contract_id=contract.pk, was=was, state=to, reason=reason)
        tell_contracts_moved([told], now=now)
        follow_first([told], now=now)


def _times(to: ContractState, contract: Contract, now: datetime) -> dict[str, Any]:
    if to is ContractState.ACTIVE:
        return {} if contract.started_at else {"started_at": now}
    return {"ended_at": now} if not CONTRACT_MOVES[to] else {}


def _copy(cursor: CursorWrapper, statement: str, rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _contract_row(terms: ContractTerms, key: UUID) -> tuple[object, ...]:
    delays = spelled(terms.run_delays_minutes)
    return (new_contract_id(), str(key), *_contract_terms(terms), delays, *_contract_time(terms))


def _period_rows(terms: Sequence[ContractTerms], keys: Sequence[UUID]) -> Iterator[list[object]]:
    for each, key in zip(terms, map(str, keys), strict=True):
        for period in each.periods:
            yield [key, *_period_terms(period)]
