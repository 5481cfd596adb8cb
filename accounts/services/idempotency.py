from datetime import datetime, timedelta

from django.conf import settings

from accounts.models import FormPost, IdempotencyRecord


def sweep(*, now: datetime) -> int:
    """Forget answers older than ``settings.IDEMPOTENCY_DAYS``; return how many."""
    kept_from = now - timedelta(days=settings.IDEMPOTENCY_DAYS)
    forms, _ = FormPost.objects.filter(created_at__lt=kept_from).delete()
    return forms + IdempotencyRecord.objects.filter(created_at__lt=kept_from).delete()[0]
