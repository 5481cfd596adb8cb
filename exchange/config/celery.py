"""Celery carries knocks, never state: what is due stands in PostgreSQL."""

import logging
import os
from typing import Any

import redis
from celery import Celery
from celery.signals import before_task_publish, worker_process_init
from django.conf import settings

from exchange.config.tracing import start_tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.config.settings")

logger = logging.getLogger(__name__)

KNOCKED_KEY = "exchange:knocked"
KNOCKED_SECONDS = 60

app = Celery("exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.include = ["exchange.config.task_signals"]


@before_task_publish.connect  # type: ignore[untyped-decorator]
def note_knock(**_: Any) -> None:
    """Leave a mark that fades, by which the health check sees that beat is alive."""
    try:
        redis.Redis.from_url(settings.REDIS_URL).set(KNOCKED_KEY, "1", ex=KNOCKED_SECONDS)
    except redis.RedisError:
        logger.warning("no mark was left in Redis for the health check")


@worker_process_init.connect  # type: ignore[untyped-decorator]
def trace_worker(**_: Any) -> None:
    """Begin traces in each of the worker's children, if they are configured."""
    start_tracing("worker")
