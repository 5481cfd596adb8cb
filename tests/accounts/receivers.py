"""Receivers of webhooks on loopback: good ones, and every bad kind that we have thought of."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.conf import settings
from django.test import override_settings

Behaviour = Callable[["Asked"], None]


@dataclass(frozen=True)
class Request:
    """What a receiver was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


class Asked(BaseHTTPRequestHandler):
    """One request to a receiver."""

    server: "Receiver"

    def do_POST(self) -> None:
        """Keep what was sent and behave."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(Request(self.path, dict(self.headers.items()), body))
        self.server.behave(self)

    def do_GET(self) -> None:
        """Keep that somebody followed a redirect."""
        self.server.got.append(Request(self.path, dict(self.headers.items()), b""))
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@dataclass
class Receiver(ThreadingHTTPServer):
    """A server that behaves as it is told, and keeps what it was sent."""

    behave: Behaviour
    got: list[Request] = field(default_factory=list)

    daemon_threads = True

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that hung up."""

    @property
    def place(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """Where it takes events."""
        return f"http://{self.place}/hook"


@contextmanager
def receiver(behave: Behaviour) -> Iterator[Receiver]:
    """Run a receiver, named in the settings as one that may be on loopback."""
    with Receiver(behave) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        named = [*settings.WEBHOOK_LOOPBACK_RECEIVERS, server.place]
        with override_settings(WEBHOOK_LOOPBACK_RECEIVERS=named):
            yield server
        server.shutdown()


def answering(status: int, text: str = "", **headers: str) -> Behaviour:
    """Return a behaviour: one answer."""

    def behave(asked: Asked) -> None:
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name.replace("_", "-"), value)
        asked.send_header("Content-Length", str(len(text.encode())))
        asked.end_headers()
        asked.wfile.write(text.encode())

    return behave


def silent(seconds: float) -> Behaviour:
    """Return a behaviour: say nothing for a while."""

    def behave(asked: Asked) -> None:
        time.sleep(seconds)

    return behave


def dripping(asked: Asked) -> None:
    """Send the head of an answer a byte at a time, for ever."""
    asked.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    try:
        while True:
            asked.wfile.write(b"z")
            asked.wfile.flush()
            time.sleep(0.05)
    except OSError:
        return


def flooding(asked: Asked) -> None:
    """Answer with a body that never ends."""
    asked.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    try:
        while True:
            asked.wfile.write(b"a" * 65_536)
    except OSError:
        return


def nonsense(asked: Asked) -> None:
    """Answer with what is no HTTP."""
    asked.wfile.write(b"\x00\xff\xfe SSH-2.0 hello\r\n\r\n")


def hanging_up(asked: Asked) -> None:
    """Close the connection without a word."""
    asked.connection.shutdown(socket.SHUT_RDWR)


def lying(asked: Asked) -> None:
    """Promise more bytes than come, and call them compressed."""
    asked.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\nContent-Encoding: gzip\r\n\r\nnot gzip"
    )
