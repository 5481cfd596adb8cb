"""What beat knocks on. Each task asks the table who is waiting and makes one domain call a row.

Gates do not wait for the engine: clearing, which may take minutes, is a task of its own for each
auction, in a queue of its own, so that many auctions are cleared at once. It is knocked on every
tick while an auction waits, and a knock that finds it under way does nothing.
"""

import logging
from collections.abc import Callable

from celery import shared_task
from django.conf import settings
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
ROUND_SECONDS = 120  # for what stands around the engine: book, archive, rows, contracts


@shared_task(name="exchange.tasks.move_auctions")  # type: ignore[untyped-decorator] # celery
def move_auctions() -> None:
    """Take every auction that waits one step on."""
    schedule_auctions()
    expire_orders()
    void_late_auctions()
    _each(Auction.objects.due_to_open(), open_auction)
    _each(Auction.objects.due_to_close(), close_auction)
    _each(Auction.objects.waiting_to_be_published(), publish_auction)
    for auction_id in Auction.objects.waiting_to_be_cleared().values_list("pk", flat=True):
        clear_one.apply_async(args=[auction_id], expires=KNOCK_SECONDS)


@shared_task(  # type: ignore[untyped-decorator] # celery
    name="exchange.tasks.clear_one",
    soft_time_limit=settings.CLEARING_SECONDS_MAX + ROUND_SECONDS,
    time_limit=settings.CLEARING_SECONDS_MAX + 2 * ROUND_SECONDS,
)
def clear_one(auction_id: int) -> None:
    """Clear a closed auction if it is its turn, and publish it as soon as it is cleared.

    At the soft limit the clearing fails and the auction gets an alarm; at the hard one the process
    is ended, which lets go of the auction.
    """
    clear_auction(auction_id)
    publish_auction(auction_id)


def _each(waiting: QuerySet[Auction], step: Callable[[int], bool]) -> None:
    """Take a step for every auction; one that fails is logged and does not stop the others."""
    for auction_id, public_id in list(waiting.values_list("pk", "public_id")):
        with about(auction=public_id):
            try:
                if step(auction_id):
                    logger.info("%s: done", step.__name__)
            except Exception:
                logger.exception("%s failed", step.__name__)
