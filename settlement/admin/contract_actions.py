"""What the operator does to contracts, each with a reason."""

from django.utils.translation import gettext_lazy

from accounts.models.callers import Caller
from accounts.web.admin_actions import action_with_reason
from settlement.models import Contract, ExcusedOutage
from settlement.services.contract_life import (
    curtail_contract,
    default_contract,
    lift_curtailment,
)


def _maintain(row: Contract, reason: str, actor: Caller) -> None:
    cause = ExcusedOutage.Cause.MAINTENANCE
    curtail_contract(row, cause=cause, reason=reason, actor=actor)


def _cut_power(row: Contract, reason: str, actor: Caller) -> None:
    curtail_contract(row, cause=ExcusedOutage.Cause.POWER, reason=reason, actor=actor)


def _lift(row: Contract, reason: str, actor: Caller) -> None:
    lift_curtailment(row, reason=reason, actor=actor)


def _default(row: Contract, reason: str, actor: Caller) -> None:
    default_contract(row, reason=reason, actor=actor)


CONTRACT_ACTIONS = (
    action_with_reason(
        _maintain, name="curtail", description=gettext_lazy("Curtail for maintenance, no penalty")
    ),
    action_with_reason(
        _cut_power,
        name="cut_power",
        description=gettext_lazy("Curtail for a shortage of power, no penalty"),
    ),
    action_with_reason(_lift, name="lift", description=gettext_lazy("Lift the curtailment")),
    action_with_reason(
        _default, name="default", description=gettext_lazy("Declare the provider's default")
    ),
)
