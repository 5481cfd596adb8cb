"""Worker and beat without processes: whoever waits makes the market take its next steps."""

from collections.abc import Callable
from typing import Final

from exchange.foundation.market_time import market_now
from exchange.models import Auction
from exchange.services.auctions import close_auction, open_auction, schedule_auctions
from exchange.services.clearing import clear_auction
from exchange.services.publishing import publish_auction
from settlement.services.settling import settle_due

TICKS_MAX: Final = 10


class InProcess:
    """Stands in for the demo's stage."""

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Tick until ``done``, a few times."""
        for _ in range(TICKS_MAX):
            if done():
                return
            tick()
        raise AssertionError(what)


def tick() -> None:
    """Take every auction that waits one step on, and settle what is due."""
    schedule_auctions()
    for waiting, step in (
        (Auction.objects.due_to_open(), open_auction),
        (Auction.objects.due_to_close(), close_auction),
        (Auction.objects.waiting_to_be_cleared(), clear_auction),
        (Auction.objects.waiting_to_be_published(), publish_auction),
    ):
        for auction_id in list(waiting.values_list("pk", flat=True)):
            step(auction_id)
    settle_due(market_now())
