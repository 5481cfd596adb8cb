"""Celery carries knocks, never state: what is due stands in PostgreSQL."""

from celery import Celery

app = Celery("exchange")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
