"""The same Celery app, for the process that tells the outside world: it serves one queue.

Receivers of webhooks may be slow; the workers that clear and settle must not wait for them.
"""

from django.conf import settings

from exchange.config.celery import app

app.select_queues([settings.COURIER_QUEUE])
