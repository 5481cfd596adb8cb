"""The meter agent as a process: real exporters' pages, the real door, and kill -9 in the middle."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from exchange.foundation.market_time import market_now
from settlement.meter_agent.config import BadConfig, Config, read_config
from settlement.meter_agent.counting import Count
from settlement.meter_agent.exchange import Courier, Exchange
from settlement.meter_agent.spool import Spool
from settlement.models import Reading, ReadingConflict, ReadingStream
from settlement.services.contracts import PeriodTerms
from tests.settlement.deliveries import HOUR, Delivery, a_delivery, a_period

CHIP = "GPU-1"
PAGE = 'DCGM_FI_DEV_GPU_UTIL{UUID="GPU-1"} 50\nDCGM_FI_DEV_POWER_USAGE{UUID="GPU-1"} 400\n'
Respond = Callable[[str], tuple[int, str]]


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """Serve on loopback what ``respond`` says to a body; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, text = respond(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def configured(folder: Path, *, url: str, exporter: str, key: str = "a key") -> Path:
    (folder / "key").write_text(f"{key}\n")
    path = folder / "meter.toml"
    path.write_text(f"""
[exchange]
url = "{url}"
key_file = "{folder / "key"}"
[agent]
spool = "{folder / "spool.db"}"
look_seconds = 0.1
reading_seconds = 0.5
gap_seconds = 30
[[exporter]]
kind = "dcgm"
url = "{exporter}/metrics"
[[device]]
serial = "serial of bid_1"
chips = ["{CHIP}"]
""")
    return path


@contextmanager
def running(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "settlement.meter_agent", str(config)]
    agent = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield agent
    finally:
        agent.kill()
        agent.wait()


def wait_for(fact: Callable[[], bool], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def a_current_delivery() -> Delivery:
    hour = market_now().replace(minute=0, second=0, microsecond=0)
    usual = a_period(0)
    periods = [
        PeriodTerms(
            starts_at=hour + n * HOUR,
            ends_at=hour + (n + 1) * HOUR,
            quantity_lots=usual.quantity_lots,
            price_ticks=usual.price_ticks,
            buyer_price=usual.buyer_price,
            seller_price=usual.seller_price,
        )
        for n in range(2)
    ]
    return a_delivery(periods=periods)


@pytest.mark.django_db(transaction=True)
def test_it_is_killed_again_and_again_and_nothing_is_lost_or_told_twice(
    live_server: LiveServer, clean_readings: None, tmp_path: Path
) -> None:
    delivery = a_current_delivery()
    with serving(lambda _: (200, PAGE)) as exporter:
        config = configured(tmp_path, url=live_server.url, exporter=exporter, key=delivery.token)
        for round_no in range(4):
            before = Reading.objects.count()
            with running(config) as agent:
                wait_for(lambda: Reading.objects.count() > before + 1)  # noqa: B023
                time.sleep(0.07 * round_no)
                agent.send_signal(signal.SIGKILL)
        before = Reading.objects.count()
        with running(config) as agent:
            wait_for(lambda: Reading.objects.count() > before + 3)
            agent.send_signal(signal.SIGTERM)
            assert agent.wait(timeout=40) == 0
    spool = Spool(tmp_path / "spool.db")
    while spool.waiting():
        Courier(Exchange(read_config(config)), spool).carry()

    stream = ReadingStream.objects.get()
    assert stream.received_count == stream.max_seq == Reading.objects.count()
    assert stream.max_seq == spool.counts()[delivery.device.public_id].seq
    assert not ReadingConflict.objects.exists()
    assert spool.refused() == []
    passed = (stream.last_ends_at - stream.first_starts_at) // timedelta(milliseconds=1)
    assert stream.last_accel_ms == passed  # the restarts were short, and the chip was there
    assert stream.last_energy_mj == pytest.approx(400 * passed, rel=0.01)


def courier_to(folder: Path, url: str, events: int) -> tuple[Courier, Spool]:
    config = read_config(configured(folder, url=url, exporter=url))
    spool = Spool(config.spool)
    texts = [json.dumps({"id": n, "subject": "a", "data": {}}) for n in range(events)]
    spool.write({}, texts, most=10_000)
    return Courier(Exchange(config), spool), spool


def answers_to(body: str, status: str = "accepted", code: str = "") -> str:
    return json.dumps({"answers": [{"status": status, "code": code} for _ in json.loads(body)]})


def test_what_the_exchange_took_is_forgotten_and_what_it_refused_is_kept_aside(
    tmp_path: Path,
) -> None:
    words = ["accepted", "duplicate", "conflict", "rejected"]

    def respond(body: str) -> tuple[int, str]:
        return 200, json.dumps({"answers": [{"status": each, "code": ""} for each in words]})

    with serving(respond) as url:
        courier, spool = courier_to(tmp_path, url, 4)
        assert courier.carry() == 0

    assert spool.waiting() == 0
    assert [json.loads(event)["id"] for event, _ in spool.refused()] == [2, 3]
    assert [json.loads(answer)["status"] for _, answer in spool.refused()] == words[2:]


def test_a_reading_that_is_too_early_for_the_exchanges_clock_waits(tmp_path: Path) -> None:
    with serving(lambda body: (200, answers_to(body, "rejected", "period_in_future"))) as url:
        courier, spool = courier_to(tmp_path, url, 3)
        assert courier.carry() > 0

    assert (spool.waiting(), spool.refused()) == (3, [])


@pytest.mark.parametrize(
    ("status", "text"),
    [(503, ""), (500, "?"), (401, "{}"), (200, "no JSON"), (200, '{"answers": []}')],
)
def test_an_exchange_that_does_not_answer_as_it_should_is_asked_again_ever_less_often(
    tmp_path: Path, status: int, text: str
) -> None:
    with serving(lambda _: (status, text)) as url:
        courier, spool = courier_to(tmp_path, url, 3)
        waits = [courier.carry() for _ in range(12)]

    assert spool.waiting() == 3
    assert 1 <= waits[0] <= 2
    assert 150 <= waits[-1] <= 300


def test_a_batch_that_is_too_large_is_halved_until_only_what_never_passes_is_refused(
    tmp_path: Path,
) -> None:
    def respond(body: str) -> tuple[int, str]:
        is_bad = any(event["id"] == 5 for event in json.loads(body))
        return (413, "") if is_bad else (200, answers_to(body))

    with serving(respond) as url:
        courier, spool = courier_to(tmp_path, url, 16)
        for _ in range(40):
            courier.carry()

    assert spool.waiting() == 0
    assert [json.loads(event)["id"] for event, _ in spool.refused()] == [5]


def test_a_spool_that_is_too_long_keeps_every_second_reading_and_the_full_hours(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path / "spool.db")
    events = [
        json.dumps(
            {
                "id": n,
                "subject": "ab"[n % 2],
                "data": {"period_end": f"2026-01-05T10:{n // 2 % 60:02}:00.000+00:00"},
            }
        )
        for n in range(40)
    ]
    spool.write({"dev_1": Count("boot", 1, 1)}, events, most=39)

    left = [json.loads(each.event)["id"] for each in spool.oldest(100)]
    assert {0, 1} < set(left)
    assert 20 <= len(left) <= 22
    assert len([n for n in left if n % 2]) == len(left) // 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[exchange]", r"\[exchange\] is missing"),
        ("url = ", "exchange.url is missing"),
        ("look_seconds = 0.1", "agent.look_seconds"),
        ("chips = ", "device.chips"),
        ("kind = ", "exporter 1: kind"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_where(
    tmp_path: Path, line: str, said: str
) -> None:
    path = configured(tmp_path, url="http://127.0.0.1", exporter="http://127.0.0.1")
    assert isinstance(read_config(path), Config)
    path.write_text(
        path.read_text().replace(
            line, "[x]" if "[" in line else f"{line.partition(' =')[0]} = -1 #", 1
        )
    )

    with pytest.raises(BadConfig, match=said):
        read_config(path)


def test_an_exporter_of_another_kind_is_named(tmp_path: Path) -> None:
    path = configured(tmp_path, url="http://127.0.0.1", exporter="http://127.0.0.1")
    path.write_text(path.read_text().replace('"dcgm"', '"abacus"'))

    command = [sys.executable, "-m", "settlement.meter_agent", str(path), "--check"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603
    assert (ended.returncode, "kind is one of dcgm, npu" in ended.stderr) == (2, True)
