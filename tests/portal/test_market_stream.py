"""The live market over a real server: told as it happens, resumed after a break, bounded."""

import asyncio
import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client

from exchange.foundation.market_time import mark_as_play
from exchange.models import MarketEvent
from exchange.portal.market.hub import HUB, Seat, message_of
from exchange.services.freezes import freeze_market, lift_freeze
from tests.exchange.markets import Market, bid_body, buyer, market
from tests.exchange.trading import bid, hold_through, offer_of
from tests.factories import caller, operator
from tests.portal.serving import until, web_process

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
    with web_process() as found:
        yield found


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
    # In a thread of its own: where a browser was driven before, this one has a running loop.
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

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lambda: asyncio.run(slow())).result()[-1] is None


def test_a_server_of_threads_keeps_no_reader(client: Client) -> None:
    assert client.get("/market/stream/").status_code == 204
    assert client.post("/market/stream/").status_code == 405
