"""The live market over a real server: told as it happens, resumed after a break, bounded."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from exchange.foundation.market_time import mark_as_play
from exchange.foundation.ports import free_port
from exchange.models import MarketEvent
from exchange.portal.market.hub import HUB, Seat, message_of
from exchange.services.freezes import freeze_market, lift_freeze
from tests.exchange.markets import Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import caller, operator

pytestmark = pytest.mark.django_db(transaction=True)

Event = dict[str, Any]


class Reader:
    """Reads a stream event by event."""

    def __init__(self, port: int, last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Last-Event-ID": last} if last else {}
        self.connection.request("GET", "/market/stream/", headers=headers)
        self.answer = self.connection.getresponse()

    def next(self, kind: str) -> Event:
        """Return the next event of a kind, with its id."""
        event: Event = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif event.get("event") == kind:
                return event | {"told": json.loads(event["data"])}
            else:
                event = {}

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def port() -> Iterator[int]:
    from exchange.config.asgi import application  # noqa: PLC0415 - it sets Django up

    found = free_port()
    server = uvicorn.Server(
        uvicorn.Config(application, port=found, log_level="error", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started)
    yield found
    server.should_exit = True
    thread.join(10)
    until(lambda: HUB.readers == 0)
    until(lambda: not any(each.name == "market" for each in threading.enumerate()))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_clock SET shift = '0', is_play = false")


def until(holds: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def halt_and_go_on() -> None:
    who = caller(operator())
    freeze_market(reason="a test", actor=who)
    lift_freeze(reason="over", actor=who)


def test_a_reader_is_told_the_time_and_then_what_happens(port: int) -> None:
    scene: Market = market()
    reader = Reader(port)
    assert reader.answer.getheader("Content-Type") == "text/event-stream"
    assert reader.next("clock")["told"]["gate"]["id"] == scene.auction.public_id
    halt_and_go_on()
    assert reader.next("halt")["told"]["frozen"] is True
    assert reader.next("halt")["told"]["frozen"] is False
    reader.close()


def test_a_reader_sees_an_auction_close_clear_and_publish_its_prices(
    port: int, settings: LazySettings, tmp_path: Any
) -> None:
    settings.ARCHIVE_DIR = tmp_path
    mark_as_play()
    scene = market()
    offer_of(scene)
    bid(bid_body(scene.auction), buyer())
    reader = Reader(port)
    reader.next("clock")
    hold_through(scene.auction)
    told = [reader.next("auction")["told"] for _ in range(3)]
    assert [each["state"] for each in told] == ["closed", "cleared", "published"]
    assert "indices" not in told[1]
    assert told[2]["indices"] == [{"region": "beijing", "accelerator": "h100", "index": "2.000"}]
    reader.close()


def test_a_reader_who_comes_back_missed_nothing(port: int) -> None:
    halt_and_go_on()
    first, second = MarketEvent.objects.order_by("pk")
    reader = Reader(port, last=str(first.pk))
    event = reader.next("halt")
    assert (event["id"], event["told"]["frozen"]) == (str(second.pk), False)
    reader.close()


@pytest.mark.parametrize("last", ["x", "-1", "9" * 40])
def test_an_id_that_is_none_of_ours_begins_anew(port: int, last: str) -> None:
    halt_and_go_on()
    reader = Reader(port, last=last)
    assert reader.next("clock")["id"] == str(MarketEvent.objects.latest("pk").pk)
    reader.close()


def test_whoever_missed_too_much_reads_the_page_again(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.queries.market_events.REPLAYED_MAX", 1)
    halt_and_go_on()
    halt_and_go_on()
    reader = Reader(port, last="1")
    latest = MarketEvent.objects.latest("pk").pk
    MarketEvent.objects.order_by("pk").first()
    assert reader.next("reset")["id"] == str(latest)
    reader.close()


def test_readers_are_bounded_and_seats_are_given_back(port: int, settings: LazySettings) -> None:
    settings.STREAMS_MAX = 1
    first, second = Reader(port), Reader(port)
    assert first.answer.status == 200
    assert second.answer.status == 503
    assert second.answer.getheader("Retry-After") == "30"
    first.close()
    second.close()
    until(lambda: HUB.readers == 0)
    third = Reader(port)
    assert third.answer.status == 200
    third.close()


def test_readers_hold_no_connection_of_the_database(port: int) -> None:
    readers = [Reader(port) for _ in range(5)]
    for reader in readers:
        reader.next("clock")
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute(f"{query} AND query LIKE 'LISTEN%'")
        assert cursor.fetchone() == (1,)
        cursor.execute(query)
        assert cursor.fetchone()[0] <= 3
    for reader in readers:
        reader.close()


def test_a_reader_who_is_too_slow_is_sent_away() -> None:
    import asyncio  # noqa: PLC0415

    async def slow() -> Any:
        seat = Seat(HUB)
        seat.sit()
        for number in range(200):
            seat.tell(message_of("halt", {}, number + 1))
        await asyncio.sleep(0)
        received = [await seat.next() for _ in range(1)]
        while received[-1] is not None:
            received.append(await seat.next())
        return received

    assert asyncio.run(slow())[-1] is None


def test_a_server_of_threads_keeps_no_reader(client: Client) -> None:
    assert client.get("/market/stream/").status_code == 204
    assert client.post("/market/stream/").status_code == 405
