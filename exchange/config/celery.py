"""Celery carries knocks, never state: what is due stands in PostgreSQL."""

import logging
import os
from typing import Any

import redis
from celery import Celery
from celery.signals import before_task_publish
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.config.settings")

logger = logging.getLogger(__name__)

KNOCKED_KEY = "exchange:knocked"
KNOCKED_SECONDS = 60

app = Celery("exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@before_task_publish.connect  # type: ignore[untyped-decorator]
def note_knock(**_: Any) -> None:
    """Leave a mark that fades, by which the health check sees that beat is alive."""
    try:
        redis.Redis.from_url(settings.REDIS_URL).set(KNOCKED_KEY, "1", ex=KNOCKED_SECONDS)
    except redis.RedisError:
        logger.warning("no mark was left in Redis for the health check")
