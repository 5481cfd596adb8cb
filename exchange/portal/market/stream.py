"""The live market: server-sent events, resumable, one open answer a reader."""

from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from exchange.portal.market.hub import HUB, Message, Seat, StreamsFull, message_of
from exchange.queries.market_events import clock_and_gate, events_after, latest_number

RETRY_SECONDS = 30
NUMBER_DIGITS_MAX = 18


class Stream(StreamingHttpResponse):
    """An answer that holds a seat until it is closed."""

    def __init__(self, seat: Seat, after: int | None) -> None:
        self._seat = seat
        super().__init__(_messages(seat, after), content_type="text/event-stream")
        self["Cache-Control"] = "no-cache"
        self["X-Accel-Buffering"] = "no"
        self["Content-Encoding"] = "identity"  # compressed, news would wait for each other

    def close(self) -> None:
        """Give up the seat with the connection."""
        self._seat.leave()
        super().close()


@require_GET
def market_stream(request: HttpRequest) -> HttpResponseBase:
    """Tell a reader what happens from now on, or after the event that it says it has."""
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)  # a server of threads would spend one on each reader
    try:
        seat = HUB.take_seat()
    except StreamsFull:
        full = HttpResponse("too many readers\n", content_type="text/plain", status=503)
        full["Retry-After"] = str(RETRY_SECONDS)
        return full
    return Stream(seat, _number(request.headers.get("Last-Event-ID", "")))


def _number(said: str) -> int | None:
    known = said.isascii() and said.isdigit() and len(said) <= NUMBER_DIGITS_MAX
    return int(said) if known else None


async def _messages(seat: Seat, after: int | None) -> AsyncIterator[bytes]:
    seat.sit()
    try:
        yield b"retry: 3000\n\n"
        told = await sync_to_async(_missed)(after)
        seen = max(number for number, _ in told)
        for _, text in told:
            yield text
        while (message := await seat.next()) is not None:
            number, text = message
            if number == 0 or number > seen:
                yield text
    finally:
        seat.leave()


def _missed(after: int | None) -> list[Message]:
    """Return what a reader missed, and the clock; give the database's connection back."""
    try:
        latest = latest_number()
        events: list[Any] | None = [] if after is None else events_after(after)
        if events is None:
            told = [message_of("reset", {}, latest)]
        else:
            told = [message_of(event.kind, event.told, event.number) for event in events]
            latest = max([latest, *(event.number for event in events)])
        return [*told, message_of("clock", clock_and_gate(), latest)]
    finally:
        connections.close_all()
