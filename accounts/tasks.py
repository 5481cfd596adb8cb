from celery import shared_task
from django.utils import timezone

from accounts.services import idempotency
from accounts.services.letters import send_letters
from accounts.services.notices import write_notice_letters
from accounts.services.retention import forget_events
from accounts.services.spreading import spread_events
from accounts.services.webhook_courier import deliver_due

ROUND_SECONDS = 50.0


@shared_task  # type: ignore[untyped-decorator] # celery is untyped
def sweep() -> None:
    """Forget the answers to requests that nobody repeats any more, and events of long ago."""
    now = timezone.now()
    idempotency.sweep(now=now)
    forget_events(now=now)


@shared_task  # type: ignore[untyped-decorator] # celery is untyped
def deliver_webhooks() -> None:
    """Tell receivers what happened; a knock that finds nothing due ends at once."""
    deliver_due(seconds=ROUND_SECONDS)


@shared_task  # type: ignore[untyped-decorator] # celery is untyped
def write_to_members() -> None:
    """Gather what is new for members into letters, and send all letters that wait."""
    spread_events()
    while write_notice_letters():
        pass
    send_letters()
