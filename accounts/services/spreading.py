"""From what happened to who is told: events become deliveries and notices."""

from django.db import connection, transaction

from accounts.models.notices import NOTICED

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
# Who switched both ways off for a type gets no notice of it.
NOTICES = """
INSERT INTO accounts_notice (membership_id, event_id, shown, mails)
SELECT member.id, event.id, coalesce(choice.shown, true), coalesce(choice.mails, true)
FROM accounts_outboxevent AS event
JOIN accounts_membership AS member ON member.organization_id = event.organization_id
JOIN accounts_user AS person ON person.id = member.user_id AND person.is_active
LEFT JOIN accounts_noticechoice AS choice
  ON choice.membership_id = member.id AND choice.type = event.type
WHERE event.id = ANY(%s) AND event.type = ANY(%s)
  AND (coalesce(choice.shown, true) OR coalesce(choice.mails, true))
ON CONFLICT (membership_id, event_id) DO NOTHING
"""
DONE = "UPDATE accounts_outboxevent SET spread_at = now() WHERE id = ANY(%s)"


def spread_events() -> int:
    """Make the deliveries and notices of what waits in the outbox; return how many events.

    Killed anywhere it leaves nothing; done twice it finds nothing to do.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM, [EVENTS_AT_ONCE])
        events = [event_id for (event_id,) in cursor.fetchall()]
        if events:
            cursor.execute(DELIVERIES, [events])
            cursor.execute(NOTICES, [events, [str(kind) for kind in NOTICED]])
            cursor.execute(DONE, [events])
    return len(events)
