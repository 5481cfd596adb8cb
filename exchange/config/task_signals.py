"""What surrounds every task: its ids in the logs, and its time in the counters.

A task carries the id of the request that caused it, or else that of the first knock, so that one
word finds all lines of what belongs together, in web, worker and beat.
"""

import logging.config
import time
from typing import Any

import structlog
from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun
from django.conf import settings

from exchange.config.counting import TASKS

CARRIED = "exchange_request_id"
_started: dict[str, float] = {}


@setup_logging.connect  # type: ignore[untyped-decorator]
def use_our_logging(**_: Any) -> None:
    """Keep Celery from replacing the logs' handlers and levels."""
    logging.config.dictConfig(settings.LOGGING)


@before_task_publish.connect  # type: ignore[untyped-decorator]
def carry_ids(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Send along for whom the task is."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if headers is not None and request_id:
        headers[CARRIED] = request_id


@task_prerun.connect  # type: ignore[untyped-decorator]
def bind_ids(task_id: str, task: Any, **_: Any) -> None:
    """Name the task, and for whom it is, in every line that it logs."""
    request_id = getattr(task.request, CARRIED, None) or task.request.root_id or task_id
    structlog.contextvars.bind_contextvars(request_id=request_id, task_id=task_id, task=task.name)
    _started[task_id] = time.perf_counter()


@task_postrun.connect  # type: ignore[untyped-decorator]
def count_task(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    """Count the task by its outcome, and forget its ids."""
    seconds = time.perf_counter() - _started.pop(task_id, time.perf_counter())
    TASKS.labels(task.name, str(state or "unknown").lower()).observe(seconds)
    structlog.contextvars.unbind_contextvars("request_id", "task_id", "task")
