"""The buyers' side of the wire: a small REST client over the standard library."""

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

THREADS = int(os.environ.get("DEMO_THREADS", "4"))
ANSWER_SECONDS = 60
TRIES = 6
TRY_AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT}


class Refused(Exception):
    """The exchange refused what the demo sent; the text is its problem document."""


class Door:
    """One web server; every thread keeps a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._local = threading.local()

    def post(
        self,
        path: str,
        body: object,
        *,
        token: str,
        key: str = "",
        content_type: str = "application/json",
    ) -> Any:
        """Post JSON and return the answer; the same idempotency ``key`` makes retries safe.

        Raises Refused with what was said last, after a few tries where trying again may help.
        """
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
        if key:
            headers["Idempotency-Key"] = key
        return self._ask("POST", path, json.dumps(body).encode(), headers)

    def get(self, path: str, *, token: str = "") -> Any:
        """Return what stands at ``path``."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._ask("GET", path, None, headers)

    def _ask(self, verb: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        said = ""
        for attempt in range(TRIES):
            time.sleep(0.2 * attempt)  # not at once, and later each time
            try:
                status, answer = self._once(verb, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                said = str(error)
                self._forget()
                continue
            said = f"{verb} {path}: {status} {answer[:500].decode(errors='replace')}"
            if status < HTTPStatus.BAD_REQUEST:
                return json.loads(answer) if answer else None
            if status not in TRY_AGAIN:
                raise Refused(said)
        raise Refused(said)

    def _once(
        self, verb: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        connection = self._connection()
        connection.request(verb, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
            self._local.connection = found
        return found

    def _forget(self) -> None:
        self._connection().close()
        self._local.connection = None


def each(items: Iterable[Item], call: Callable[[Item], Found]) -> Sequence[Found]:
    """Call once for every item, a few at a time; return the answers in order.

    One at a time, nothing after an item that failed is begun: a play that is started again then
    comes to the same order.
    """
    if THREADS == 1:
        return [call(item) for item in items]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, items))
