"""One POST to a receiver that may be slow, dead, lying or hostile.

The name is resolved once and the connection goes to that address, so that what was checked is
what is asked; private, loopback and link-local addresses are refused (requests-hardened). No
redirect is followed, no proxy of the environment is used, only the beginning of the answer is
read, and a watchdog cuts the connection at the deadline, however slowly bytes still drip in.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from accounts.models.webhooks import ANSWER_LENGTH_MAX, Outcome

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 10.0  # between two bytes of the answer
ANSWER_BYTES = 4_096
USER_AGENT = "compute-exchange-webhooks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an attempt ended, how long it took, and how the receiver's answer began."""

    outcome: Outcome
    milliseconds: int
    status: int | None = None
    text: str = ""


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send ``body`` and return what came of it. Raises nothing that a receiver can cause."""
    began = time.monotonic()
    watch = _Watchdog(settings.WEBHOOK_SECONDS_MAX)
    try:
        with watch, _session(url, watch) as session:
            outcome, status, text = _ask(session, url, body, headers)
        if watch.cut:  # The head of an answer that we cut off reads as if it had ended.
            outcome = Outcome.TIMED_OUT
    except (requests.RequestException, OSError, ValueError) as wrong:
        outcome, status, text = _outcome_of(wrong, cut=watch.cut), None, ""
    taken = round((time.monotonic() - began) * 1_000)
    return Answer(outcome=outcome, milliseconds=taken, status=status, text=text)


def is_named_loopback(url: str) -> bool:
    """Return whether the settings name this receiver as one that may be on loopback."""
    return urlsplit(url).netloc in settings.WEBHOOK_LOOPBACK_RECEIVERS


def _ask(
    session: requests.Session, url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[Outcome, int, str]:
    sent = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
    with session.post(url, data=body, headers=sent, stream=True, allow_redirects=False) as answer:
        status = answer.status_code
        # Raw: a compressed answer of a few bytes must not unfold into the memory of ours.
        text = answer.raw.read(ANSWER_BYTES, decode_content=False).decode("utf-8", "replace")
        return _outcome_of_status(status), status, text.replace("\0", "")[:ANSWER_LENGTH_MAX]


def _outcome_of_status(status: int) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome.DELIVERED
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Outcome.REDIRECTED
    return Outcome.GONE if status == HTTPStatus.GONE else Outcome.ERROR_STATUS


def _outcome_of(wrong: Exception, *, cut: bool) -> Outcome:
    if isinstance(wrong, InvalidIPAddress):
        return Outcome.ADDRESS_REFUSED
    if cut or isinstance(wrong, requests.Timeout | TimeoutError):
        return Outcome.TIMED_OUT
    return (
        Outcome.TLS_FAILED
        if isinstance(wrong, requests.exceptions.SSLError)
        else (Outcome.NOT_CONNECTED)
    )


class _Watchdog:
    """Shuts every connection of one request down at its deadline."""

    def __init__(self, seconds: float) -> None:
        self.cut = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._bite)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()

    def watch(self, sock: socket.socket) -> None:
        """Keep a second handle on a connection: TLS takes the first one over."""
        with self._lock:
            if self.cut:
                raise TimeoutError("the deadline is over")
            self._sockets.append(sock.dup())

    def _bite(self) -> None:
        with self._lock:
            self.cut = True
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # It had ended by itself.


class _Session(HTTPSession):  # type: ignore[misc]  # the library is untyped
    """A session of which no connection is kept, and the environment is not asked."""

    trust_env = False


def _session(url: str, watch: _Watchdog) -> requests.Session:
    config = Config(
        ip_filter_enable=True,
        ip_filter_allow_loopback_ips=is_named_loopback(url),
        never_redirect=True,
        default_timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
        user_agent_override=USER_AGENT,
    )
    session: requests.Session = _Session(config)
    session.trust_env = False
    for scheme in ("http", "https"):
        session.mount(f"{scheme}://", _Adapter(scheme, watch, loopback=is_named_loopback(url)))
    return session


class _Adapter(IPFilterAdapter):  # type: ignore[misc]  # the library is untyped
    """Refuses a little more than the library does, and shows each connection to the watchdog."""

    def __init__(self, scheme: str, watch: _Watchdog, *, loopback: bool) -> None:
        self._watch = watch
        self._loopback = loopback
        super().__init__(is_https_proto=scheme == "https", allow_loopback=loopback)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Let the pools make connections that the watchdog knows."""
        super().init_poolmanager(*args, **options)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = _watched_pools(self._watch)

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Return where to connect, and refuse what is not an address of the open internet."""
        host, pool = super().build_connection_pool_key_attributes(*args, **options)
        address = ipaddress.ip_address(host["host"].strip("[]"))
        if not _is_open(address) and not (self._loopback and address.is_loopback):
            raise InvalidIPAddress(address)
        return host, pool


def _is_open(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    is_site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return address.is_global and not address.is_multicast and not is_site_local


def _watched_pools(watch: _Watchdog) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            watch.watch(sock)
            return sock

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            sock = super()._new_conn()
            watch.watch(sock)
            return sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
