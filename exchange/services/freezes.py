"""An operator's switch: while the market is frozen no order is taken and the gates wait."""

from django.db import IntegrityError, transaction

from accounts.models.callers import Caller
from accounts.services import audit_rows
from accounts.services.organizations import ReasonMissing
from exchange.foundation.market_time import market_now
from exchange.models import MarketFreeze
from exchange.services.auctions import actor_name


class MarketAlreadyFrozen(Exception):
    """There is one switch, and it is on."""


class MarketNotFrozen(Exception):
    """There is no halt to lift."""


def freeze_market(*, reason: str, actor: Caller) -> MarketFreeze:
    """Halt the market. Raises ReasonMissing, MarketAlreadyFrozen."""
    if not reason.strip():
        raise ReasonMissing("a halt needs a reason that everybody can be told")
    try:
        with transaction.atomic():
            freeze = MarketFreeze.objects.create(
                reason=reason, actor=actor_name(actor), frozen_at=market_now()
            )
            audit_rows.record(actor, "freeze", freeze, reason)
    except IntegrityError as twice:
        raise MarketAlreadyFrozen("the market is frozen already") from twice
    return freeze


@transaction.atomic
def lift_freeze(*, reason: str, actor: Caller) -> None:
    """Let the market go on: gates that were due close at the next knock. Raises MarketNotFrozen."""
    freeze = MarketFreeze.objects.select_for_update().filter(lifted_at__isnull=True).first()
    if freeze is None:
        raise MarketNotFrozen("the market is not frozen")
    MarketFreeze.objects.filter(pk=freeze.pk).update(
        lifted_at=market_now(), lifted_by=actor_name(actor)
    )
    audit_rows.record(actor, "lift", freeze, reason)
