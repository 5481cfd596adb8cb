"""The same Celery app, for the processes that clear auctions: one queue, bounded memory.

Each child clears one auction at a time. What it may take of memory is its own limit and not the
machine's: a book that needs more fails with an alarm, and gates, settlement and the web go on.
"""

from typing import Any

from celery.signals import worker_process_init
from django.conf import settings

from exchange.config.celery import app
from exchange.engine.crew import limit_memory

app.select_queues([settings.CLEARING_QUEUE])


@worker_process_init.connect  # type: ignore[untyped-decorator]
def bound(**_: Any) -> None:
    """Limit what a child may take."""
    limit_memory(settings.CLEARING_MEMORY_GIB)
