"""After a new key was put first in SEALING_KEYS: what accounts has sealed is sealed with it."""

from django.db import connection, transaction

from accounts.models import WebhookEndpoint
from accounts.models.idempotency import SEAL_MARK
from accounts.services.sealing import is_newest, reseal

SEALED_ANSWERS = """
SELECT id, body FROM accounts_idempotencyrecord WHERE substr(body, 1, 1) = %s
ORDER BY id FOR NO KEY UPDATE
"""
KEEP_ANSWER = "UPDATE accounts_idempotencyrecord SET body = %s WHERE id = %s"


def reseal_webhook_secrets() -> int:
    """Seal the secrets of endpoints anew; return how many endpoints had an older seal."""
    with transaction.atomic():
        rows = list(WebhookEndpoint.objects.order_by("pk").select_for_update(no_key=True))
        old = [row for row in rows if not all(map(is_newest, _seals_of(row)))]
        for row in old:
            row.sealed_secret = reseal(row.sealed_secret)
            if row.sealed_old_secret is not None:
                row.sealed_old_secret = reseal(row.sealed_old_secret)
        WebhookEndpoint.objects.bulk_update(old, ["sealed_secret", "sealed_old_secret"])
    return len(old)


def reseal_answers() -> int:
    """Seal anew the kept answers that hold secrets; return how many had an older seal."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SEALED_ANSWERS, [SEAL_MARK])
        kept = [(pk, bytes(body).removeprefix(SEAL_MARK)) for pk, body in cursor.fetchall()]
        old = [(SEAL_MARK + reseal(body), pk) for pk, body in kept if not is_newest(body)]
        if old:
            cursor.executemany(KEEP_ANSWER, old)
    return len(old)


def _seals_of(row: WebhookEndpoint) -> list[bytes | memoryview]:
    both = (row.sealed_secret, row.sealed_old_secret)
    return [sealed for sealed in both if sealed is not None]
