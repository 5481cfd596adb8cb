"""What beat knocks on. Each task asks the table who is waiting and makes one domain call a row.

Gates do not wait for the engine: clearing, which may take minutes, is a task of its own. It is
knocked on every tick while an auction waits, and a knock that finds it under way does nothing.
"""

import logging
from collections.abc import Callable

from celery import shared_task
from django.db.models import QuerySet

from exchange.foundation.log_context import about
from exchange.models import Auction
from exchange.services.auctions import (
    close_auction,
    open_auction,
    schedule_auctions,
    void_late_auctions,
)
from exchange.services.clearing import clear_auction
from exchange.services.expiry import expire_orders
from exchange.services.publishing import publish_auction

logger = logging.getLogger(__name__)

# An unheard knock is void. This one outlives those of beat that it waits behind: a worker too busy
# to hear all of them would else never hear it.
KNOCK_SECONDS = 60


@shared_task(name="exchange.tasks.move_auctions")  # type: ignore[untyped-decorator] # celery
def move_auctions() -> None:
    """Take every auction that waits one step on."""
    schedule_auctions()
    expire_orders()
    void_late_auctions()
    _each(Auction.objects.due_to_open(), open_auction)
    _each(Auction.objects.due_to_close(), close_auction)
    _each(Auction.objects.waiting_to_be_published(), publish_auction)
    if Auction.objects.waiting_to_be_cleared().exists():
        clear_auctions.apply_async(expires=KNOCK_SECONDS)


@shared_task(name="exchange.tasks.clear_auctions")  # type: ignore[untyped-decorator] # celery
def clear_auctions() -> None:
    """Clear the closed auctions whose turn it is, and publish each as soon as it is cleared."""
    _each(Auction.objects.waiting_to_be_cleared(), clear_auction)
    _each(Auction.objects.waiting_to_be_published(), publish_auction)


def _each(waiting: QuerySet[Auction], step: Callable[[int], bool]) -> None:
    """Take a step for every auction; one that fails is logged and does not stop the others."""
    for auction_id, public_id in list(waiting.values_list("pk", "public_id")):
        with about(auction=public_id):
            try:
                if step(auction_id):
                    logger.info("%s: done", step.__name__)
            except Exception:
                logger.exception("%s failed", step.__name__)
