"""One request to a receiver, whatever the receiver is like."""

import socket
import time
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models.webhooks import ANSWER_LENGTH_MAX, Outcome
from accounts.services.webhook_sending import post
from tests.accounts import receivers
from tests.accounts.receivers import Behaviour, answering, receiver

BODY = b'{"type":"webhook.test"}'


@pytest.mark.parametrize(
    ("behave", "outcome", "status"),
    [
        (answering(200, "thanks"), Outcome.DELIVERED, 200),
        (answering(204), Outcome.DELIVERED, 204),
        (answering(500), Outcome.ERROR_STATUS, 500),
        (answering(404), Outcome.ERROR_STATUS, 404),
        (answering(410), Outcome.GONE, 410),
        (answering(304), Outcome.REDIRECTED, 304),
        (receivers.flooding, Outcome.DELIVERED, 200),
        (receivers.nonsense, Outcome.NOT_CONNECTED, None),
        (receivers.hanging_up, Outcome.NOT_CONNECTED, None),
    ],
)
def test_each_answer_has_its_outcome(
    behave: Behaviour, outcome: Outcome, status: int | None
) -> None:
    with receiver(behave) as there:
        answer = post(there.url, body=BODY, headers={"webhook-id": "evt_1"})

    assert (answer.outcome, answer.status) == (outcome, status)
    assert there.got[0].body == BODY
    assert there.got[0].headers["webhook-id"] == "evt_1"
    assert there.got[0].headers["Content-Type"] == "application/json"


def test_a_redirect_is_not_followed() -> None:
    with (
        receiver(answering(200)) as other,
        receiver(answering(302, Location=other.url)) as there,
    ):
        answer = post(there.url, body=BODY, headers={})

    assert answer.outcome is Outcome.REDIRECTED
    assert other.got == []


@pytest.mark.parametrize(
    "behave", [receivers.silent(3), receivers.dripping], ids=["silent", "dripping"]
)
def test_a_slow_receiver_is_cut_at_the_deadline(behave: Behaviour, settings: Settings) -> None:
    settings.WEBHOOK_SECONDS_MAX = 0.4
    began = time.monotonic()
    with receiver(behave) as there:
        answer = post(there.url, body=BODY, headers={})
        taken = time.monotonic() - began

    assert answer.outcome is Outcome.TIMED_OUT
    assert taken < 2


def test_only_the_beginning_of_an_answer_is_kept() -> None:
    with receiver(answering(200, "x" * 100_000)) as there:
        answer = post(there.url, body=BODY, headers={})

    assert answer.text == "x" * ANSWER_LENGTH_MAX


def test_a_receiver_that_lies_about_its_answer_was_still_told(settings: Settings) -> None:
    settings.WEBHOOK_SECONDS_MAX = 2
    with receiver(receivers.lying) as there:
        answer = post(there.url, body=BODY, headers={})

    assert len(there.got) == 1
    assert answer.outcome in {Outcome.DELIVERED, Outcome.NOT_CONNECTED}


PRIVATE = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "224.0.0.1", "[::1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]"),
    *("[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
    *("0", "2130706433", "0x7f.1", "localhost"),
]


@pytest.mark.parametrize("host", PRIVATE)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_private_address_is_not_asked(host: str, scheme: str) -> None:
    answer = post(f"{scheme}://{host}:9/hook", body=BODY, headers={})

    assert answer.outcome is Outcome.ADDRESS_REFUSED


def resolving_to(*addresses: str) -> Any:
    """Return a resolver that gives one address after another, as an attacker's server does."""
    given = iter(addresses)

    def resolve(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(given), port))]

    return resolve


def test_a_name_that_leads_to_a_private_address_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("169.254.169.254"))

    answer = post("https://receiver.example/", body=BODY, headers={})

    assert answer.outcome is Outcome.ADDRESS_REFUSED


def test_a_name_that_changes_its_mind_is_asked_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    class Connections(socket.socket):
        def connect(self, address: Any) -> None:
            asked.append(address)
            raise ConnectionRefusedError

    def by_number(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        if host == "93.184.216.34":  # what urllib3 is told to connect to is a number by then
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return list(resolve(host, port))

    resolve = resolving_to("93.184.216.34", "127.0.0.1", "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", by_number)
    monkeypatch.setattr(socket, "socket", Connections)

    answer = post("https://rebinding.example/", body=BODY, headers={})

    assert answer.outcome is Outcome.NOT_CONNECTED
    assert asked == [("93.184.216.34", 443)]


def test_loopback_is_asked_only_where_the_settings_name_it(settings: Settings) -> None:
    with receiver(answering(200)) as there:
        settings.WEBHOOK_LOOPBACK_RECEIVERS = ["127.0.0.1:1"]
        answer = post(there.url, body=BODY, headers={})

    assert answer.outcome is Outcome.ADDRESS_REFUSED
    assert there.got == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(answering(200)) as proxy, receiver(answering(200)) as there:
        monkeypatch.setenv("http_proxy", f"http://{proxy.place}")
        answer = post(there.url, body=BODY, headers={})

    assert answer.outcome is Outcome.DELIVERED
    assert proxy.got == []
