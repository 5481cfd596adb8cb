"""Objections to what is to be settled: opened in time, decided once, settled by the next run."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from accounts.models import Caller
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from exchange.foundation.states import move
from settlement.models import (
    DISPUTE_MOVES,
    PERIOD_MOVES,
    DeliveryPeriod,
    Dispute,
    DisputeState,
    PeriodState,
    RunKind,
    SettlementRun,
)
from settlement.models.disputes import REASON_LENGTH_MAX
from settlement.services.announcing import tell_disputes
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason
from settlement.services.dispute_evidence import attach_series
from settlement.services.due_periods import contracted_ms

METERS_DISAGREE = "the provider's and the buyer's meters disagree"
METERS_AGREE = "the meters agree now"
WITHDRAWN = "withdrawn by who opened it"


class DisputeTooLate(Exception):
    """The time in which this period could be disputed is over."""


class NotDisputable(Exception):
    """Only what has been reckoned and is not final can be disputed, by one of its parties."""


class AlreadyDisputed(Exception):
    """A dispute about this period is undecided."""


class BadRuling(Exception):
    """What was delivered lies between nothing and what was contracted."""


def open_dispute(
    period: DeliveryPeriod,
    *,
    claimed_ms: int,
    reason: str,
    now: datetime,
    actor: Caller,
) -> Dispute:
    """Object to what was settled; until it is decided the period cannot become final.

    Both meters' readings of the period are attached. Raises NotDisputable, DisputeTooLate,
    AlreadyDisputed, BadRuling.
    """
    contract = period.contract
    _check_figure(period, claimed_ms)
    last = SettlementRun.objects.filter(period=period).order_by("-run_no").first()
    if actor.organization_id not in (contract.buyer_id, contract.provider_id) or last is None:
        raise NotDisputable(f"period {period}")
    if now >= period.ends_at + timedelta(days=contract.dispute_days):
        raise DisputeTooLate(f"period {period} could be disputed for {contract.dispute_days} days")
    if period.state != PeriodState.PROVISIONAL:
        raise AlreadyDisputed(f"period {period} is {period.state}")
    try:
        with transaction.atomic():
            move(period, to=PeriodState.DISPUTED, moves=PERIOD_MOVES)
            dispute = Dispute.objects.create(
                period=period,
                opened_by_id=actor.organization_id,
                actor=actor.signature,
                claimed_ms=claimed_ms,
                provider_ms=last.provider_ms,
                buyer_ms=last.buyer_ms,
                reason=reason,
                opened_at=now,
            )
            attach_series([dispute.pk])
            record(actor, "open", dispute, reason)
            tell_disputes([dispute], now=now)
            return dispute
    except IntegrityError as error:
        raise AlreadyDisputed(f"period {period}") from error


def call_for_evidence(dispute: Dispute, *, actor: Caller, reason: str = "") -> None:
    """Move an open dispute on, with what the meters have reported since attached too.

    Raises NotAnOperator, IllegalMove, LostRace.
    """
    refuse_non_operator(actor)
    with transaction.atomic():
        signed = actor.signature
        move(dispute, to=DisputeState.EVIDENCE, moves=DISPUTE_MOVES, actor=signed)
        attach_series([dispute.pk])
        record(actor, "call_for_evidence", dispute, reason)
        tell_disputes([dispute], now=market_now())


def rule_dispute(
    dispute: Dispute,
    verdict: DisputeState,
    *,
    decision: str,
    now: datetime,
    actor: Caller,
    ruled_ms: int | None = None,
) -> None:
    """Let an operator end a dispute: upheld, partial or rejected, as ``decide_dispute`` does.

    Raises NotAnOperator, ReasonMissing too.
    """
    refuse_non_operator(actor)
    refuse_without_reason(decision, "to decide a dispute")
    with transaction.atomic():
        signed = actor.signature
        said = decision[:REASON_LENGTH_MAX]
        decide_dispute(dispute, verdict, decision=said, now=now, ruled_ms=ruled_ms, actor=signed)
        record(actor, verdict.value, dispute, decision)


def withdraw_dispute(dispute: Dispute, *, now: datetime, actor: Caller) -> None:
    """Let who opened a dispute take it back. Raises NotDisputable, IllegalMove, LostRace."""
    if dispute.opened_by_id != actor.organization_id:
        raise NotDisputable("only who opened a dispute withdraws it")
    with transaction.atomic():
        verdict, signed = DisputeState.WITHDRAWN, actor.signature
        decide_dispute(dispute, verdict, decision=WITHDRAWN, now=now, actor=signed)
        record(actor, "withdraw", dispute)


def decide_dispute(
    dispute: Dispute,
    verdict: DisputeState,
    *,
    decision: str,
    now: datetime,
    ruled_ms: int | None = None,
    actor: str = "",
) -> None:
    """End a dispute: upheld (as claimed), partial (``ruled_ms``), rejected or withdrawn.

    The period's next run settles by it. Raises BadRuling, IllegalMove, LostRace.
    """
    if verdict is DisputeState.UPHELD:
        ruled_ms = dispute.claimed_ms
    elif (verdict is DisputeState.PARTIAL) != (ruled_ms is not None):
        raise BadRuling(f"a ruling of {ruled_ms} does not go with {verdict}")
    period = dispute.period
    if ruled_ms is not None:
        _check_figure(period, ruled_ms)
    with transaction.atomic():
        move(
            dispute,
            to=verdict,
            moves=DISPUTE_MOVES,
            ruled_ms=ruled_ms,
            decision=decision,
            decided_at=now,
            actor=actor,
        )
        period.refresh_from_db(fields=["state"])
        move(period, to=PeriodState.PROVISIONAL, moves=PERIOD_MOVES)
        tell_disputes([dispute], now=now)


def open_for_meters(disputes: Iterable[Dispute], *, now: datetime) -> None:
    """Record that meters disagree; the caller has claimed the periods and moves them."""
    opened = Dispute.objects.bulk_create(disputes)
    attach_series([each.pk for each in opened])
    tell_disputes(opened, now=now)


def withdraw_for_meters(period_ids: Iterable[int], *, now: datetime) -> None:
    """End what the exchange opened for meters that agree by now; the caller moves the periods."""
    by_meters = Dispute.objects.filter(period__in=list(period_ids), opened_by=None)
    undecided = list(by_meters.undecided().select_for_update(no_key=True))
    Dispute.objects.filter(pk__in=[each.pk for each in undecided]).update(
        state=DisputeState.WITHDRAWN, decision=METERS_AGREE, decided_at=now
    )
    tell_disputes(undecided, now=now)


def is_too_late(run_no: RunKind) -> bool:
    """Return whether a run is at the dispute deadline, after which not even meters object."""
    return run_no is RunKind.FINAL


def _check_figure(period: DeliveryPeriod, ms: int) -> None:
    most = contracted_ms(period.quantity_lots, period.ends_at - period.starts_at)
    if not 0 <= ms <= most:
        raise BadRuling(f"{ms} accelerator-milliseconds of {most} contracted")
