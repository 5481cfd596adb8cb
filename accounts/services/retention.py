"""Old events go: what happened stands in its own tables; the outbox only told of it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

AT_ONCE = 5_000
# Told in every way: no delivery waits, no letter is to be written.
OLD = """
SELECT event.id FROM accounts_outboxevent AS event
WHERE event.written_at < %s AND event.spread_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM accounts_webhookdelivery AS delivery
                  WHERE delivery.event_id = event.id AND delivery.state = 'pending')
  AND NOT EXISTS (SELECT FROM accounts_notice AS notice
                  WHERE notice.event_id = event.id AND notice.mails AND notice.mailed_at IS NULL)
ORDER BY event.written_at LIMIT %s FOR UPDATE OF event SKIP LOCKED
"""
FORGET = (
    """DELETE FROM accounts_webhookattempt WHERE delivery_id IN
       (SELECT id FROM accounts_webhookdelivery WHERE event_id = ANY(%s))""",
    "DELETE FROM accounts_webhookdelivery WHERE event_id = ANY(%s)",
    "DELETE FROM accounts_notice WHERE event_id = ANY(%s)",
    "DELETE FROM accounts_outboxevent WHERE id = ANY(%s)",
)


def forget_events(*, now: datetime) -> int:
    """Forget events older than ``settings.OUTBOX_DAYS`` with their deliveries and notices.

    A batch at a time, so that nobody waits long; returns how many.
    """
    before, forgotten = now - timedelta(days=settings.OUTBOX_DAYS), 0
    while count := _forget(before):
        forgotten += count
    return forgotten


def _forget(before: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(OLD, [before, AT_ONCE])
        ids = [event_id for (event_id,) in cursor.fetchall()]
        for statement in FORGET if ids else ():
            cursor.execute(statement, [ids])
    return len(ids)
