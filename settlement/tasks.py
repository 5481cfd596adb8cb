"""What beat knocks on. Each knock asks the tables who is waiting; two at once do no harm."""

import logging

from celery import shared_task

from exchange.foundation.market_time import market_now
from settlement.services.auditing import audit_and_record
from settlement.services.collateral import move_collateral
from settlement.services.contract_moves import advance_contracts, follow_heartbeats
from settlement.services.money_alerts import tell_budget_alerts, watch_balances
from settlement.services.partitions import open_days_ahead
from settlement.services.resales import lapse_resales
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due

logger = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]
def settle_due_periods() -> None:
    """Do what the clock has made due: contracts move, periods settle, statements end."""
    now = market_now()
    open_days_ahead(now)
    advance_contracts(now)
    follow_heartbeats(now)
    lapse_resales(now)
    runs = settle_due(now)
    move_collateral(now)
    tell_budget_alerts()
    watch_balances()
    statements = finalize_due(now)
    if runs or statements:
        logger.info("settled %s runs, finalized %s statements", runs, statements)


@shared_task  # type: ignore[untyped-decorator]
def audit_books() -> None:
    """Ask every invariant and write down what was found; each broken one is an alarm."""
    for finding in audit_and_record():
        if not finding.holds:
            logger.error(
                "invariant %s is broken by %s rows: %s",
                finding.invariant,
                finding.broken_count,
                finding.first,
            )
