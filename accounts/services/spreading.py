"""From what happened to who is told: each event of the outbox becomes deliveries to endpoints."""

from django.db import connection, transaction

EVENTS_AT_ONCE = 5_000

# Guarded by the rows' locks: two at once take different events. An event for everybody has no
# organization; a test is spread when it is written, to the one endpoint that it tests.
CLAIM = """
SELECT id FROM accounts_outboxevent WHERE spread_at IS NULL
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
DELIVERIES = """
INSERT INTO accounts_webhookdelivery (public_id, endpoint_id, event_id, state)
SELECT 'whd_' || substr(event.public_id, 5, 10)
              || substr(md5(endpoint.public_id || event.public_id), 1, 16),
       endpoint.id, event.id, 'pending'
FROM accounts_outboxevent AS event
JOIN accounts_webhookendpoint AS endpoint
  ON endpoint.state = 'enabled'
 AND (event.organization_id = endpoint.organization_id OR event.organization_id IS NULL)
 AND (endpoint.event_types = '{}' OR event.type = ANY(endpoint.event_types))
WHERE event.id = ANY(%s)
ON CONFLICT (event_id, endpoint_id) DO NOTHING
"""
DONE = "UPDATE accounts_outboxevent SET spread_at = now() WHERE id = ANY(%s)"


def spread_events() -> int:
    """Make the deliveries of what waits in the outbox; return how many events there were.

    Killed anywhere it leaves nothing; done twice it finds nothing to do.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, [EVENTS_AT_ONCE])
        events = [event_id for (event_id,) in cursor.fetchall()]
        if events:
            cursor.execute(DELIVERIES, [events])
            cursor.execute(DONE, [events])
    return len(events)
