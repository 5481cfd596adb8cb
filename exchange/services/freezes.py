"""The switch of the market and of its parts: while one is halted it takes and clears nothing.

Operators throw it by measures (exchange.services.measures), which another operator approves.
"""

from django.db import IntegrityError, transaction

from accounts.models.callers import Caller
from accounts.services import audit_rows
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now
from exchange.models import Accelerator, AuctionSeries, MarketFreeze, Region
from exchange.services.auctions import actor_name


class MarketAlreadyFrozen(Exception):
    """There is one switch for each part of the market, and it is on."""


class MarketNotFrozen(Exception):
    """There is no halt to lift."""


def freeze_market(
    *,
    reason: str,
    actor: Caller,
    series: AuctionSeries | None = None,
    region: Region | None = None,
    accelerator: Accelerator | None = None,
) -> MarketFreeze:
    """Halt the market, or one part of it. Raises ReasonMissing, MarketAlreadyFrozen."""
    if not reason.strip():
        raise ReasonMissing("a halt needs a reason that everybody can be told")
    try:
        with transaction.atomic():
            freeze = MarketFreeze.objects.create(
                series=series,
                region=region,
                accelerator=accelerator,
                reason=reason,
                actor=actor_name(actor),
                frozen_at=market_now(),
            )
            audit_rows.record(actor, "freeze", freeze, reason)
    except IntegrityError as twice:
        raise MarketAlreadyFrozen("this is halted already") from twice
    return freeze


@transaction.atomic
def lift_freeze(*, reason: str, actor: Caller, halt: MarketFreeze | None = None) -> None:
    """Let the market, or the part that ``halt`` is of, go on.

    Gates that were due close at the next knock. Raises MarketNotFrozen.
    """
    live = MarketFreeze.objects.live().select_for_update()
    freeze = (live.filter(pk=halt.pk) if halt else live.of_all()).first()
    if freeze is None:
        raise MarketNotFrozen("there is no such halt, or it is lifted")
    MarketFreeze.objects.filter(pk=freeze.pk).update(
        lifted_at=market_now(), lifted_by=actor_name(actor)
    )
    audit_rows.record(actor, "lift", freeze, reason)
