"""One listener a web process: it hears of market events and tells every reader of the stream.

The listener is a thread with a connection of its own on which PostgreSQL notifies it. What it says
it reads from the table of events, so a notice that is lost costs a few seconds and no event.
"""

import asyncio
import json
import logging
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, connections
from django.db.utils import Error as DatabaseError

from exchange.queries.market_events import clock_and_gate, events_after, latest_number

logger = logging.getLogger(__name__)

CLOCK_SECONDS = 10.0
WAIT_SECONDS = 1.0
WAITING_MAX = 64  # messages that a slow reader may be behind by
Message = tuple[int, bytes]


class StreamsFull(Exception):
    """This web process has as many readers of the live market as it takes."""


def message_of(kind: str, told: dict[str, Any], number: int = 0) -> Message:
    """Return a server-sent event; ``number`` 0 says that it is not one to resume from."""
    head = f"id: {number}\n" if number else ""
    return number, f"{head}event: {kind}\ndata: {json.dumps(told)}\n\n".encode()


class Seat:
    """One reader: what it still has to be told, and whether it was too slow."""

    def __init__(self, hub: "Hub") -> None:
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: asyncio.Queue[Message | None] = asyncio.Queue(WAITING_MAX)

    def sit(self) -> None:
        """Begin to take messages, in the event loop of the reader."""
        self._loop = asyncio.get_running_loop()

    async def next(self) -> Message | None:
        """Return the next message; None: the reader was too slow and must come again."""
        return await self._waiting.get()

    def tell(self, message: Message) -> None:
        """Hand a message over, from whichever thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, message)

    def leave(self) -> None:
        """Give the seat up; twice does no harm."""
        self._hub.leave(self)

    def _put(self, message: Message) -> None:
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._waiting.put_nowait(None)
        else:
            self._waiting.put_nowait(message)


class Hub:
    """The readers of one process, and the thread that tells them."""

    def __init__(self) -> None:
        self._seats: set[Seat] = set()
        self._lock = threading.Lock()
        self._listener: threading.Thread | None = None

    @property
    def readers(self) -> int:
        """How many read now."""
        return len(self._seats)

    def take_seat(self) -> Seat:
        """Return a seat, and listen while anybody sits. Raises StreamsFull."""
        with self._lock:
            if len(self._seats) >= settings.STREAMS_MAX:
                raise StreamsFull
            seat = Seat(self)
            self._seats.add(seat)
            if self._listener is None:
                self._listener = threading.Thread(
                    target=self._listen, args=(latest_number(),), name="market", daemon=True
                )
                self._listener.start()
        return seat

    def leave(self, seat: Seat) -> None:
        """Take a reader off; the listener ends with the last one."""
        with self._lock:
            self._seats.discard(seat)

    def _listen(self, number: int) -> None:
        while not self._is_over():
            try:
                with psycopg.connect(**connection.get_connection_params(), autocommit=True) as own:
                    own.execute("LISTEN market_events")
                    number = self._tell(own, number)
            except (psycopg.Error, DatabaseError):
                logger.exception("the listener of the market lost its database")
                time.sleep(WAIT_SECONDS)
            finally:
                connections.close_all()

    def _is_over(self) -> bool:
        with self._lock:
            if self._seats:
                return False
            self._listener = None
            return True

    def _tell(self, own: "psycopg.Connection[Any]", number: int) -> int:
        """Tell what happens until nobody listens; return the last event's number."""
        clock_due = time.monotonic() + CLOCK_SECONDS
        while self._seats:
            heard = any(True for _ in own.notifies(timeout=WAIT_SECONDS, stop_after=1))
            is_late = time.monotonic() >= clock_due
            if not (heard or is_late):
                continue
            number = self._tell_events(number)
            if is_late:
                clock_due = time.monotonic() + CLOCK_SECONDS
            self._tell_all(message_of("clock", clock_and_gate()))
            connections.close_all()  # back to the pool: the next news may be hours away
        return number

    def _tell_events(self, number: int) -> int:
        events = events_after(number)
        if events is None:
            number = latest_number()
            self._tell_all(message_of("reset", {}, number))
            return number
        for event in events:
            self._tell_all(message_of(event.kind, event.told, event.number))
            number = event.number
        return number

    def _tell_all(self, message: Message) -> None:
        with self._lock:
            seats = list(self._seats)
        for seat in seats:
            seat.tell(message)


HUB = Hub()
