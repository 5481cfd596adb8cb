"""The least HTTP client that still checks every answer: what it costs is not what we measure."""

import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Self

ANSWER_SECONDS = 60.0
CHUNK = 1 << 16


class WrongAnswer(Exception):
    """The server said something else than was expected; the text is its answer."""


class Wire:
    """One kept connection. Use as a context."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def send(self, request: bytes, status: int) -> bytes:
        """Send one whole request; return the body of its answer. Raises WrongAnswer."""
        self._socket.sendall(request)
        head, body = self._head()
        if not head.startswith(b"HTTP/1.1 %d " % status):
            raise WrongAnswer((head + b"\n" + body)[:1_000].decode(errors="replace"))
        size = _length(head)
        parts, have = [body], len(body)
        while have < size:
            parts.append(self._more())
            have += len(parts[-1])
        return b"".join(parts)

    def _head(self) -> tuple[bytes, bytes]:
        seen = b""
        while b"\r\n\r\n" not in seen:
            seen += self._more()
        head, _, body = seen.partition(b"\r\n\r\n")
        return head, body

    def _more(self) -> bytes:
        chunk = self._socket.recv(CHUNK)
        if not chunk:
            raise WrongAnswer("the server closed the connection")
        return chunk


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the bytes of a POST of JSON."""
    said = {"Host": "127.0.0.1", "Content-Type": "application/json", **headers}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise WrongAnswer(f"no Content-Length in {head.decode(errors='replace')}")
