"""The API's doorstep: what must happen before a view is found and after it answered."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from accounts.web.fallbacks import answer

Door = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def doorstep(get_response: Door) -> Door:
    """Refuse addresses with NUL, which PostgreSQL cannot even compare with; add headers."""

    def enter(request: HttpRequest) -> HttpResponseBase:
        refusal = refuse_address(request)
        return refusal or with_headers(request, get_response(request))

    async def enter_async(request: HttpRequest) -> HttpResponseBase:
        refusal = refuse_address(request)
        if refusal:
            return refusal
        answered: Awaitable[HttpResponseBase] = get_response(request)
        return with_headers(request, await answered)

    return enter_async if iscoroutinefunction(get_response) else enter


def refuse_address(request: HttpRequest) -> HttpResponseBase | None:
    """Return a 400 if there is a NUL anywhere in the address, else None."""
    if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
        return answer(request, 400, "address_invalid", "There is a NUL in the address.")
    return None


def with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response with the id that its log lines have, and the rate if it was counted."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        response["X-Request-ID"] = request_id
    for name, value in getattr(request, "rate_headers", {}).items():
        response[name] = value
    return response
