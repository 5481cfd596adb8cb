"""The gate against bidders, on connections of their own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection, transaction

from accounts.models.callers import Caller
from exchange.engine.clearing import clear_audited
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import Auction, Bid, ClearingResult
from exchange.services import clearing
from exchange.services.auctions import close_auction
from exchange.services.bids import place_bid
from exchange.services.clearing import claimed, clear_auction
from exchange.services.gates import AuctionNotOpen, hold_gates
from tests.exchange.markets import Market, bid_body, buyer, market
from tests.exchange.trading import offer_of

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 20
Answer = TypeVar("Answer")


@pytest.fixture
def scene(settings: LazySettings, tmp_path: Path) -> Market:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    return market()


def in_thread(work: Callable[..., Answer]) -> Callable[..., Answer]:
    """Run on a connection of one's own, and leave none behind."""

    def run(*args: object) -> Answer:
        try:
            return work(*args)
        finally:
            connection.close()

    return run


def test_the_gate_waits_for_a_bidder_who_is_inside(scene: Market) -> None:
    inside, leave = threading.Event(), threading.Event()

    def linger() -> None:
        with transaction.atomic():
            hold_gates([scene.auction.public_id])
            inside.set()
            assert leave.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        bidder = pool.submit(in_thread(linger))
        assert inside.wait(PATIENCE)
        set_market_time(scene.auction.closes_at + timedelta(minutes=1))
        gate = pool.submit(in_thread(close_auction), scene.auction.pk)
        with pytest.raises(TimeoutError):
            gate.result(timeout=0.5)
        assert Auction.objects.get(pk=scene.auction.pk).state == "open"
        leave.set()
        bidder.result(PATIENCE)
        assert gate.result(PATIENCE)


def test_every_bid_is_either_in_the_closed_book_or_refused(scene: Market) -> None:
    who = buyer()
    start = threading.Barrier(5)

    def bid_on(caller: Caller) -> tuple[int, int]:
        start.wait(PATIENCE)
        placed = refused = 0
        while not refused:
            try:
                place_bid(bid_body(scene.auction, limit_price="0.001"), caller=caller)
                placed += 1
            except AuctionNotOpen:
                refused += 1
        return placed, refused

    with ThreadPoolExecutor(4) as pool:
        bidders = [pool.submit(in_thread(bid_on), who) for _ in range(4)]
        start.wait(PATIENCE)
        while Bid.objects.count() < 8:
            pass
        set_market_time(scene.auction.closes_at + timedelta(seconds=1))
        assert close_auction(scene.auction.pk)
        in_book = Bid.objects.filter(auction=scene.auction, state="accepted").count()
        placed = [bidder.result(PATIENCE)[0] for bidder in bidders]
    assert sum(placed) == in_book == Bid.objects.count()


def test_two_workers_do_not_clear_one_auction_at_once(
    scene: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_of(scene)
    place_bid(bid_body(scene.auction), caller=buyer())
    set_market_time(scene.auction.closes_at + timedelta(minutes=1))
    close_auction(scene.auction.pk)
    working, go_on = threading.Event(), threading.Event()

    def slow(*args: object, **kwargs: object) -> object:
        assert not connection.in_atomic_block, "no transaction is open while the engine works"
        working.set()
        assert go_on.wait(PATIENCE)
        return clear_audited(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(clearing, "clear_audited", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(in_thread(clear_auction), scene.auction.pk)
        assert working.wait(PATIENCE)
        second = pool.submit(in_thread(clear_auction), scene.auction.pk)
        assert second.result(PATIENCE) is False
        go_on.set()
        assert first.result(PATIENCE) is True
    assert ClearingResult.objects.count() == 1


def test_the_claim_of_a_worker_that_died_is_free_at_once(scene: Market) -> None:
    set_market_time(scene.auction.closes_at + timedelta(minutes=1))
    close_auction(scene.auction.pk)

    def die() -> None:
        # As when the process is killed: nothing is unlocked, the connection is gone.
        with suppress(OperationalError), claimed(scene.auction.pk) as auction:
            assert auction is not None
            connection.connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(die).result(PATIENCE)
    given_up = time.monotonic() + PATIENCE
    while not _can_claim(scene):  # The server notices in its own time that nobody is there.
        assert time.monotonic() < given_up, "the claim of the dead is still held"


def _can_claim(scene: Market) -> bool:
    with claimed(scene.auction.pk) as auction:
        return auction is not None
