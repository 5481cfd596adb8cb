"""Who must be told about its money: a budget that is nearly used up, a balance that is low.

Alerts of budgets are written with the hold that crosses a threshold; balances are looked at from
time to time. Each is told once, in the database transaction that notes it.
"""

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Caller, EventType
from accounts.services.audit_rows import record
from accounts.services.events import NewEvent, write_events
from exchange.foundation.market_time import market_now
from settlement.models import BudgetAlert, LowMoney
from settlement.services.announcing import money

ROWS_MAX = 1_000
PPM_AN_PERCENT = 10_000

# Buyers whose free money crossed their mark since it was last looked at, either way.
CROSSED = """
SELECT account.owner_id, free.micros, mark.micros, free.micros < mark.micros
FROM settlement_ledgeraccount AS account
JOIN accounts_organization AS owner ON owner.id = account.owner_id AND owner.buys
LEFT JOIN settlement_lowmoney AS known ON known.organization_id = account.owner_id
CROSS JOIN LATERAL (SELECT credits_posted + credit_micros - debits_posted - debits_pending
                    AS micros) AS free
CROSS JOIN LATERAL (SELECT coalesce(known.mark_micros, %s) AS micros) AS mark
WHERE account.kind = 'available' AND account.currency = %s AND account.reference = ''
  AND (free.micros < mark.micros) <> (known.low_since IS NOT NULL)
  AND (account.credits_posted > 0 OR account.credit_micros > 0)
ORDER BY account.owner_id LIMIT %s
"""
# Guarded: whoever is second changes nothing, and tells nobody.
NOTE = """
INSERT INTO settlement_lowmoney (organization_id, low_since) VALUES (%s, %s)
ON CONFLICT (organization_id) DO UPDATE SET low_since = excluded.low_since
WHERE (settlement_lowmoney.low_since IS NULL) <> (excluded.low_since IS NULL)
"""


def tell_budget_alerts() -> int:
    """Tell organizations of alerts that nobody was told of; return how many."""
    with transaction.atomic():
        rows = BudgetAlert.objects.unheard().select_related("project").order_by("pk")
        claimed = list(rows.select_for_update(of=["self"], skip_locked=True)[:ROWS_MAX])
        now = market_now()
        write_events(_alert(each) for each in claimed)
        BudgetAlert.objects.filter(pk__in=[each.pk for each in claimed]).update(notified_at=now)
    return len(claimed)


def watch_balances() -> int:
    """Note whose free money fell below its mark, or is back above it; return how many are told."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CROSSED, [settings.LOW_MONEY_MICROS, settings.MARKET_CURRENCY, ROWS_MAX])
        now, events = market_now(), []
        for organization_id, free, mark, is_low in cursor.fetchall():
            cursor.execute(NOTE, [organization_id, now if is_low else None])
            if cursor.rowcount and is_low:
                data = {
                    "free": money(free),
                    "mark": money(mark),
                    "currency": settings.MARKET_CURRENCY,
                }
                events.append(
                    NewEvent(
                        type=EventType.BALANCE_LOW,
                        organization_id=organization_id,
                        about="",
                        happened_at=now,
                        data=data,
                    )
                )
        write_events(events)
    return len(events)


def mark_of(organization_id: int) -> int:
    """Return below which amount of free money the organization is told, in micro-units."""
    row = LowMoney.objects.filter(organization_id=organization_id).first()
    mark = None if row is None else row.mark_micros
    return settings.LOW_MONEY_MICROS if mark is None else mark


def set_mark(mark_micros: int, *, actor: Caller) -> LowMoney:
    """Tell the caller's organization below this amount from now on."""
    with transaction.atomic():
        row, _ = LowMoney.objects.update_or_create(
            organization_id=actor.organization_id, defaults={"mark_micros": mark_micros}
        )
        record(actor, "set_low_money", row, f"below {mark_micros}")
    return row


def _alert(alert: BudgetAlert) -> NewEvent:
    return NewEvent(
        type=EventType.BUDGET_ALERT,
        organization_id=alert.project.organization_id,
        about=alert.project.public_id,
        happened_at=alert.raised_at,
        data={
            "project": alert.project.public_id,
            "name": alert.project.name,
            "percent": alert.threshold_ppm // PPM_AN_PERCENT,
            "budget": money(alert.budget_micros),
            "committed": money(alert.committed_micros),
            "currency": settings.MARKET_CURRENCY,
        },
    )
