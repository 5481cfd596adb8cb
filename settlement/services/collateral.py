"""Collateral of sellers: asked for when a contract is made, drawn on for penalties, released.

Asking is part of opening contracts and locks no account; holding, drawing and releasing are steps
of their own that beat knocks on. Each claims its rows, so that two workers never do one twice.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from settlement.models import (
    AccountKind,
    Collateral,
    CollateralRate,
    Hold,
    LedgerAccount,
    TransferCode,
)
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason
from settlement.services.four_eyes import person_behind
from settlement.services.holds import HoldRequest, InsufficientFunds, place_hold, release_holds
from settlement.services.ledger import NewTransfer, accounts_of, post_batch

PPM = 1_000_000
RATE_MAX_PPM = 10 * PPM
ROWS_MAX = 2_000
RELEASED = "every period of the contract is final"
# What the provider earns if all is delivered, times the rate in force, rounded up.
ASK = """
INSERT INTO settlement_collateral (contract_id, provider_id, required_micros)
SELECT contract.id, contract.provider_id, ceil(value.micros * rate.rate_ppm / 1000000)
FROM settlement_contract AS contract
JOIN LATERAL (SELECT rate_ppm FROM settlement_collateralrate
              WHERE organization_id = contract.provider_id ORDER BY id DESC LIMIT 1) AS rate
    ON rate.rate_ppm > 0
JOIN LATERAL (
    SELECT sum(greatest(seller_price, 0) * quantity_lots * 1000
               * extract(epoch FROM ends_at - starts_at) / 3600) AS micros
    FROM settlement_deliveryperiod WHERE contract_id = contract.id) AS value ON value.micros > 0
WHERE contract.key = ANY(%s)
ON CONFLICT (contract_id) DO NOTHING
"""
FINAL = """
SELECT collateral.id, hold.key FROM settlement_collateral AS collateral
LEFT JOIN settlement_hold AS hold ON hold.id = collateral.hold_id
WHERE collateral.released_at IS NULL
  AND NOT EXISTS (SELECT FROM settlement_deliveryperiod AS period
                  WHERE period.contract_id = collateral.contract_id AND period.state <> 'final')
ORDER BY collateral.id LIMIT %s FOR NO KEY UPDATE OF collateral SKIP LOCKED
"""
OWING = """
SELECT payable.owner_id, payable.id, payable.debits_posted - payable.credits_posted
FROM settlement_ledgeraccount AS payable
WHERE payable.kind = 'payable' AND payable.debits_posted > payable.credits_posted
  AND EXISTS (SELECT FROM settlement_collateral AS collateral
              WHERE collateral.provider_id = payable.owner_id AND collateral.released_at IS NULL
                AND collateral.hold_id IS NOT NULL)
ORDER BY payable.owner_id LIMIT %s
"""


class CollateralMissing(Exception):
    """The provider's free money does not cover the collateral that the operator asks of it."""


class RateOutOfRange(Exception):
    """A rate of collateral is from nothing to ten times the value."""


def set_collateral_rate(
    organization_id: int, *, rate_ppm: int, reason: str, actor: Caller
) -> CollateralRate:
    """Ask a provider for this share of the value of each contract made from now on.

    Raises NotAnOperator, ReasonMissing, RateOutOfRange.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "a rate of collateral")
    if not 0 <= rate_ppm <= RATE_MAX_PPM:
        raise RateOutOfRange(f"{rate_ppm} ppm: from 0 to {RATE_MAX_PPM}")
    with transaction.atomic():
        rate = CollateralRate.objects.create(
            organization_id=organization_id,
            rate_ppm=rate_ppm,
            reason=reason[:200],
            set_by_id=person_behind(actor),
            actor=actor.signature,
            set_at=market_now(),
        )
        record(actor, "set_collateral", rate, reason)
    return rate


def refuse_uncovered_listing(provider_id: int, value_micros: int) -> None:
    """Refuse to list what a provider could not put up collateral for. Raises CollateralMissing.

    ``value_micros`` is what the offer would earn in a day. Nothing is held: it is when it sells.
    """
    rate = CollateralRate.objects.filter(organization_id=provider_id).order_by("-id").first()
    if rate is None or rate.rate_ppm == 0:
        return
    if Collateral.objects.called().filter(provider_id=provider_id).exists():
        raise CollateralMissing("collateral for a contract is missing; pay it in first")
    needed = -(-value_micros * rate.rate_ppm // PPM)
    account = LedgerAccount.objects.filter(
        owner_id=provider_id, kind=AccountKind.AVAILABLE, reference=""
    ).first()
    if needed > (account.available_micros if account else 0):
        raise CollateralMissing(f"a day of it needs {needed} micro-units of free money")


def ask_collateral(keys: Sequence[UUID]) -> None:
    """Ask for the collateral of new contracts, by their keys; a repeat asks once."""
    with connection.cursor() as cursor:
        cursor.execute(ASK, [list(keys)])


def move_collateral(now: datetime) -> None:
    """Hold what is asked for, draw on it where penalties exceed what is owed, release the rest."""
    release_final(now)
    hold_called()
    draw_deficits(now)


def hold_called() -> int:
    """Hold the collateral that is asked for, contract by contract; return how many were covered.

    What a provider's money does not reach for stays asked for, and is tried again at each knock.
    """
    held, short = 0, set[int]()
    called = Collateral.objects.called().order_by("id").values_list("pk", "provider_id")
    for collateral_id, provider_id in list(called[:ROWS_MAX]):
        if provider_id in short:
            continue
        try:
            held += _hold(collateral_id)
        except InsufficientFunds:
            short.add(provider_id)
    return held


def _hold(collateral_id: int) -> bool:
    with transaction.atomic():
        rows = Collateral.objects.called().select_for_update(skip_locked=True, no_key=True)
        collateral = rows.filter(pk=collateral_id).select_related("contract").first()
        if collateral is None:
            return False
        request = HoldRequest(
            f"collateral/{collateral.contract.public_id}",
            collateral.provider_id,
            collateral.required_micros,
        )
        place_hold(request)
        hold = Hold.objects.get(key=request.key)
        Collateral.objects.filter(pk=collateral_id).update(hold=hold)
    return True


def release_final(now: datetime) -> int:
    """Release the collateral of contracts all of whose periods are final; return how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FINAL, [ROWS_MAX])
        final = cursor.fetchall()
        Collateral.objects.filter(pk__in=[row[0] for row in final]).update(released_at=now)
        release_holds([key for _, key in final if key], RELEASED)
    return len(final)


def draw_deficits(now: datetime) -> int:
    """Pay from providers' collateral what they owe beyond what they are owed; return how often."""
    with connection.cursor() as cursor:
        cursor.execute(OWING, [ROWS_MAX])
        owing = cursor.fetchall()
    return sum(_draw(*row, now=now) for row in owing)


def _draw(provider_id: int, payable_id: int, deficit: int, *, now: datetime) -> int:
    """Capture holds of the provider, the oldest first, until the deficit is covered."""
    with transaction.atomic():
        rows = Collateral.objects.filter(provider_id=provider_id, released_at=None)
        claimed = rows.exclude(hold=None).order_by("id").select_for_update(no_key=True, of=["self"])
        available_id = accounts_of(AccountKind.AVAILABLE, [provider_id])[provider_id]
        transfers = []
        for collateral in claimed.select_related("hold"):
            hold = collateral.hold
            assert hold is not None, "those without one are left out"
            amount = min(deficit, hold.open_micros)
            if amount > 0:
                deficit -= amount
                transfers.append(
                    NewTransfer(
                        key=f"{hold.key} after {hold.captured_micros}",
                        debit_id=available_id,
                        credit_id=payable_id,
                        amount_micros=amount,
                        code=TransferCode.COLLATERAL,
                        event_at=now,
                        hold_id=hold.pk,
                    )
                )
        key = "; ".join(each.key for each in transfers[:1])
        return post_batch(transfers, key=f"draw {key}").inserted
