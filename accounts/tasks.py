from celery import shared_task
from django.utils import timezone

from accounts.services import idempotency


@shared_task  # type: ignore[untyped-decorator] # celery is untyped
def sweep() -> None:
    """Forget the answers to requests that nobody repeats any more."""
    idempotency.sweep(now=timezone.now())
