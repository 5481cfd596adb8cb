"""The web process: uvicorn exchange.config.asgi:application."""

import os

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from exchange.config.tracing import start_tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange.config.settings")


class OneThreadHandler(ASGIHandler):
    """Carries a request through all middleware and its view in one thread.

    Django's own handler hops between the event loop and a thread twice for each middleware that is
    written for threads, as most are: twenty hops cost more than a bid.
    """

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's
        """Build the chain for threads, whoever asks."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer from the request's own thread."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


django.setup(set_prefix=False)
start_tracing("web")
application = OneThreadHandler()
