"""What people do to contracts: confirm them, reclaim them with notice, curtail them, end them."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from accounts.models import Caller, Scope
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from exchange.foundation.states import LostRace
from settlement.models import Contract, ContractState, ExcusedOutage
from settlement.services.contracts import move_contract
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason
from settlement.services.resold_moves import refuse_resold

READY_STATES = (ContractState.SCHEDULED, ContractState.PROVISIONING, ContractState.ACTIVE)
DETAIL_MAX = 200


class NotAParty(Exception):
    """Only a party of the contract does this, through a member or key that acts on contracts."""


class NotConfirmable(Exception):
    """A contract is confirmed once by each party, while it is about to run or runs."""


class NothingToReclaim(Exception):
    """The contract is over before its notice would be."""


class CurtailmentEmpty(Exception):
    """A curtailment ends after it begins, and before the contract does."""


def confirm_provisioning(contract: Contract, *, actor: Caller) -> None:
    """Say that the machines are ready (the provider) or that they can be used (the buyer).

    Raises NotAParty, NotConfirmable.
    """
    side = _side_of(contract, actor)
    column = f"{side}_confirmed_at"
    with transaction.atomic():
        rows = Contract.objects.filter(
            pk=contract.pk, state__in=READY_STATES, **{f"{column}__isnull": True}
        )
        if not rows.update(**{column: market_now()}):
            raise NotConfirmable(f"contract {contract.public_id} is {contract.state}")
        record(actor, "confirm", contract, side)
    contract.refresh_from_db(fields=[column])


def reclaim_contract(contract: Contract, *, reason: str, actor: Caller) -> None:
    """Take capacity back with the notice of the terms: what is not delivered behind it is excused.

    Raises NotAParty unless the provider asks, ReasonMissing, NothingToReclaim, IllegalMove,
    DeliveredUnderAnother.
    """
    if _side_of(contract, actor) != "provider":
        raise NotAParty("only the provider reclaims")
    refuse_resold(contract)
    refuse_without_reason(reason, "to reclaim a contract")
    now = market_now()
    reclaim_at = now + timedelta(minutes=contract.notice_minutes)
    if reclaim_at >= contract.ends_at:
        raise NothingToReclaim(f"the notice runs until {reclaim_at.isoformat()}")
    with transaction.atomic():
        Contract.objects.filter(pk=contract.pk).update(reclaim_at=reclaim_at)
        _move(
            contract,
            ContractState.RECLAIMING,
            code="reclaimed",
            detail=reason,
            actor=actor,
            planned_at=reclaim_at,
        )
        cause = ExcusedOutage.Cause.RECLAIMED
        _excuse(contract, cause, reason, actor, starts_at=reclaim_at, ends_at=contract.ends_at)
        record(actor, "reclaim", contract, reason)
    contract.reclaim_at = reclaim_at


def curtail_contract(
    contract: Contract,
    *,
    cause: ExcusedOutage.Cause,
    reason: str,
    actor: Caller,
    until: datetime | None = None,
) -> ExcusedOutage:
    """Stop a contract from now on: the provider owes no penalty, the buyer pays what it got.

    Without ``until`` it lasts until it is lifted. Raises NotAnOperator, ReasonMissing,
    CurtailmentEmpty, IllegalMove, LostRace, DeliveredUnderAnother.
    """
    refuse_non_operator(actor)
    refuse_resold(contract)
    refuse_without_reason(reason, "to curtail a contract")
    now = market_now()
    if until is not None and not now < until <= contract.ends_at:
        raise CurtailmentEmpty(f"from {now.isoformat()} until {until.isoformat()}")
    with transaction.atomic():
        _move(
            contract,
            ContractState.CURTAILED,
            code=cause.value,
            detail=reason,
            actor=actor,
            planned_at=until,
        )
        outage = _excuse(contract, cause, reason, actor, starts_at=now, ends_at=until)
        record(actor, "curtail", contract, reason)
    return outage


def lift_curtailment(contract: Contract, *, reason: str, actor: Caller) -> None:
    """Let a curtailed contract run again from now on.

    Raises NotAnOperator, IllegalMove, DeliveredUnderAnother.
    """
    refuse_non_operator(actor)
    refuse_resold(contract)
    now = market_now()
    with transaction.atomic():
        _move(contract, ContractState.ACTIVE, code="lifted", detail=reason, actor=actor)
        open_now = ExcusedOutage.objects.filter(contract=contract, starts_at__lte=now)
        open_now.filter(ends_at=None).update(ends_at=now)
        open_now.filter(ends_at__gt=now).exclude(cause="reclaimed").update(ends_at=now)
        record(actor, "lift", contract, reason)


def default_contract(contract: Contract, *, reason: str, actor: Caller) -> None:
    """End a contract that its provider does not keep: every hour left is a shortfall.

    An operator declares it, or the provider itself. Raises NotAParty, ReasonMissing, IllegalMove,
    DeliveredUnderAnother.
    """
    refuse_resold(contract)
    if not actor.operates and _side_of(contract, actor) != "provider":
        raise NotAParty("only the operator or the provider declares a default")
    refuse_without_reason(reason, "to declare a default")
    with transaction.atomic():
        _move(
            contract, ContractState.DEFAULTED, code="provider_default", detail=reason, actor=actor
        )
        now = market_now()
        # A default ends every excuse: what is not delivered from now on is owed for.
        ExcusedOutage.objects.filter(contract=contract, ends_at=None).update(ends_at=now)
        record(actor, "default", contract, reason)


def _side_of(contract: Contract, actor: Caller) -> str:
    if not actor.has_scope(Scope.CONTRACTS_WRITE):
        raise NotAParty("this member or key may not act on contracts")
    sides = {contract.buyer_id: "buyer", contract.provider_id: "provider"}
    if actor.organization_id not in sides:
        raise NotAParty("only a party of the contract does this")
    return sides[actor.organization_id]


def _excuse(
    contract: Contract,
    cause: ExcusedOutage.Cause,
    reason: str,
    actor: Caller,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
) -> ExcusedOutage:
    try:
        return ExcusedOutage.objects.create(
            contract=contract,
            cause=cause,
            detail=reason[:DETAIL_MAX],
            actor=actor.signature,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    except IntegrityError as error:
        raise LostRace(f"contract {contract.public_id} is curtailed already") from error


def _move(
    contract: Contract,
    to: ContractState,
    *,
    code: str,
    detail: str,
    actor: Caller,
    planned_at: datetime | None = None,
) -> None:
    move_contract(
        contract,
        to,
        reason_code=code,
        reason=detail[:DETAIL_MAX],
        actor=actor.signature,
        planned_at=planned_at,
    )
