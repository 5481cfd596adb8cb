"""Halts, resumptions and limits by four eyes: one operator asks with a reason, another decides.

The guarded move of the measure decides a race: of two who approve at once, one does it.
"""

from typing import Any

from django.db import transaction

from accounts.models import Caller, Organization
from accounts.services.audit_rows import record
from exchange.foundation.market_time import market_now
from exchange.foundation.states import move
from exchange.models import (
    MEASURE_MOVES,
    Accelerator,
    AuctionSeries,
    MarketFreeze,
    Measure,
    MeasureKind,
    MeasureState,
    Region,
)
from exchange.models.columns import REASON_LENGTH_MAX
from exchange.services.freezes import (
    MarketAlreadyFrozen,
    MarketNotFrozen,
    freeze_market,
    lift_freeze,
)
from exchange.services.position_limits import set_position_limit
from settlement.services.deposit_approvals import refuse_non_operator, refuse_without_reason
from settlement.services.four_eyes import OwnRequest, person_behind, refuse_same_person


class MeasureNotFound(Exception):
    """There is no such measure, or it is not the caller's to see."""


class MeasureMalformed(Exception):
    """The measure does not say what it is of, or by how much."""


def ask_halt(
    *,
    reason: str,
    actor: Caller,
    series: AuctionSeries | None = None,
    region: Region | None = None,
    accelerator: Accelerator | None = None,
) -> Measure:
    """Ask for a halt of the market, or of one part of it.

    Raises NotAnOperator, ReasonMissing, MeasureMalformed, MarketAlreadyFrozen.
    """
    scope = {"series": series, "region": region, "accelerator": accelerator}
    if sum(part is not None for part in scope.values()) > 1:
        raise MeasureMalformed("a halt is of the market or of one part of it")
    if MarketFreeze.objects.live().filter(**scope).exists():
        raise MarketAlreadyFrozen("this is halted already")
    return _ask(MeasureKind.HALT, reason, actor, **scope)


def ask_resume(halt: MarketFreeze, *, reason: str, actor: Caller) -> Measure:
    """Ask for a halt to be lifted. Raises NotAnOperator, ReasonMissing, MarketNotFrozen."""
    if halt.lifted_at is not None:
        raise MarketNotFrozen("this halt is lifted already")
    scope = {"series": halt.series, "region": halt.region, "accelerator": halt.accelerator}
    return _ask(MeasureKind.RESUME, reason, actor, halt=halt, **scope)


def ask_price_cap(
    series: AuctionSeries, *, price_cap_ticks: int, reason: str, actor: Caller
) -> Measure:
    """Ask for another price cap of the auctions of a series that are not announced yet.

    Raises NotAnOperator, ReasonMissing, MeasureMalformed.
    """
    if price_cap_ticks <= 0:
        raise MeasureMalformed("a price cap is more than nothing")
    return _ask(
        MeasureKind.PRICE_CAP, reason, actor, series=series, price_cap_ticks=price_cap_ticks
    )


def ask_position_limit(
    organization: Organization,
    *,
    lot_minutes_max: int | None,
    cost_micros_max: int | None,
    reason: str,
    actor: Caller,
) -> Measure:
    """Ask for a bound on what an organization may bid for in one auction; None does not bound.

    Raises NotAnOperator, ReasonMissing, MeasureMalformed.
    """
    if not organization.buys:
        raise MeasureMalformed("a position limit is of an organization that buys")
    return _ask(
        MeasureKind.POSITION_LIMIT,
        reason,
        actor,
        organization=organization,
        lot_minutes_max=lot_minutes_max,
        cost_micros_max=cost_micros_max,
    )


def approve_measure(measure: Measure, *, reason: str, actor: Caller) -> None:
    """Do what was asked for, in the database transaction of its approval.

    Raises NotAnOperator, OwnRequest for who asked, IllegalMove and LostRace once it is decided,
    and MarketAlreadyFrozen or MarketNotFrozen if the market is not as it was.
    """
    refuse_non_operator(actor)
    person = refuse_same_person(measure.asked_by_id, actor)
    if person is None:
        raise OwnRequest("nobody stands behind this key, so it cannot be told from who asked")
    with transaction.atomic():
        _decide(measure, MeasureState.APPROVED, person, reason=reason, actor=actor)
        _do(measure, actor)


def refuse_measure(measure: Measure, *, reason: str, actor: Caller) -> None:
    """End a measure that was not approved; who asked may do so too.

    Raises NotAnOperator, ReasonMissing, IllegalMove, LostRace.
    """
    refuse_non_operator(actor)
    refuse_without_reason(reason, "to refuse a measure")
    person = _person(actor)
    with transaction.atomic():
        _decide(measure, MeasureState.REFUSED, person, reason=reason, actor=actor)


def measure_of(public_id: str, *, caller: Caller) -> Measure:
    """Return a measure that the caller may see. Raises MeasureNotFound."""
    rows = Measure.objects.visible_to(caller).select_related(
        "series", "region", "accelerator", "organization", "halt", "asked_by", "decided_by"
    )
    found = rows.filter(public_id=public_id).first()
    if found is None:
        raise MeasureNotFound(f"there is no measure {public_id}")
    return found


def _ask(kind: MeasureKind, reason: str, actor: Caller, **said: Any) -> Measure:
    refuse_non_operator(actor)
    refuse_without_reason(reason, f"a measure ({kind.label})")
    with transaction.atomic():
        measure = Measure.objects.create(
            kind=kind,
            reason=reason.strip()[:REASON_LENGTH_MAX],
            asked_by_id=_person(actor),
            asked_at=market_now(),
            actor=actor.signature,
            **said,
        )
        record(actor, "ask", measure, reason)
    return measure


def _person(actor: Caller) -> int:
    """Return who acts: four eyes need persons, so a key that nobody made is not enough."""
    person = person_behind(actor)
    if person is None:
        raise OwnRequest("nobody stands behind this key: use one that a member made")
    return person


def _decide(measure: Measure, to: MeasureState, person: int, *, reason: str, actor: Caller) -> None:
    move(
        measure,
        to=to,
        moves=MEASURE_MOVES,
        decided_by_id=person,
        decided_at=market_now(),
        decision=reason.strip()[:REASON_LENGTH_MAX],
        actor=actor.signature,
    )
    record(actor, to.value, measure, reason)


def _do(measure: Measure, actor: Caller) -> None:
    if measure.kind == MeasureKind.HALT:
        halt = freeze_market(
            reason=measure.reason,
            actor=actor,
            series=measure.series,
            region=measure.region,
            accelerator=measure.accelerator,
        )
        Measure.objects.filter(pk=measure.pk).update(halt=halt)
        measure.halt = halt
    elif measure.kind == MeasureKind.RESUME:
        lift_freeze(reason=measure.reason, actor=actor, halt=measure.halt)
    elif measure.kind == MeasureKind.PRICE_CAP:
        _set_price_cap(measure, actor)
    else:
        assert measure.organization is not None, "a position limit is of an organization"
        set_position_limit(
            measure.organization,
            lot_minutes_max=measure.lot_minutes_max,
            cost_micros_max=measure.cost_micros_max,
            reason=measure.reason,
            actor=actor,
        )


def _set_price_cap(measure: Measure, actor: Caller) -> None:
    series = measure.series
    assert series is not None, "a price cap is of a series"
    was = series.price_cap_ticks
    AuctionSeries.objects.filter(pk=series.pk).update(price_cap_ticks=measure.price_cap_ticks)
    said = f"ticks {was} -> {measure.price_cap_ticks}: {measure.reason}"
    record(actor, "set_price_cap", series, said)
