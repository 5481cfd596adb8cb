"""Pages of the open market: made once between two publications, and sent once to each reader.

What a page says of the market is kept in the cache under the market's stamp, so that the next
publication makes all of it new, once for each language and time zone it is read in; only the frame
around it (colours, who is signed in) is made for every reader. A visitor's browser that has the
page already is told so.
"""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.functional import Promise
from django.utils.http import quote_etag
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from accounts.web.zones import reader_zone
from exchange.queries.halts import live_halts
from exchange.queries.publications import market_stamp

KEPT_SECONDS = 3_600
_making = threading.Lock()  # After a publication all ask at once: one makes the page, all get it.
FRAME, HALTS = "exchange/market/page.html", "exchange/market/halts.html"


def _release() -> str:
    """Tell one release's pages from the next one's: the time of the newest file they come from."""
    files = [
        *(settings.BASE_DIR / "templates").rglob("*.html"),
        *Path(__file__).parent.glob("*.py"),
    ]
    return str(max(int(file.stat().st_mtime) for file in files))


RELEASE = _release()


def kept_page(
    request: HttpRequest,
    template: str,
    *,
    title: "str | Promise",
    asked: tuple[str, ...],
    context: Callable[[], tuple[dict[str, Any], bool]],
    live: bool = False,
) -> HttpResponseBase:
    """Answer with a page of the market.

    ``asked`` is what the page depends on besides the market; ``context`` gives what the template
    shows and whether it may be kept: what was asked for amiss is not. A ``live`` page is shown
    again by its reader's browser as soon as something is published.
    """
    words = [RELEASE, market_stamp(), get_language() or "", reader_zone().key, template, *asked]
    shelf = hashlib.sha256("\n".join(words).encode()).hexdigest()
    etag = _etag(request, shelf)
    unchanged = get_conditional_response(request, etag=etag) if etag else None
    if unchanged is not None:
        return unchanged
    body = cache.get(f"page:{shelf}")
    status = 200
    if body is None:
        body, kept = _make(template, f"page:{shelf}", context)
        status = 200 if kept else 400
    frame = {"title": title, "body": mark_safe(body), "live": live}  # noqa: S308 - our template made it
    response = render(request, FRAME, frame, status=status)
    _tag(request, response, shelf)
    return response


def _make(
    template: str, shelf: str, context: Callable[[], tuple[dict[str, Any], bool]]
) -> tuple[str, bool]:
    with _making:
        if (body := cache.get(shelf)) is not None:
            return str(body), True
        shown, kept = context()
        # The stamp is another one after a halt too, so what is halted is kept with the page.
        body = render_to_string(HALTS, {"halts": live_halts()}) + render_to_string(template, shown)
        if kept:
            cache.set(shelf, body, KEPT_SECONDS)
        return body, kept


def _etag(request: HttpRequest, shelf: str) -> str | None:
    """Return the tag of the whole page for a visitor; None for whoever has messages or a name.

    The page carries forms, so it is another one when the visitor's token against forgery is.
    """
    token = request.META.get("CSRF_COOKIE")
    if token is None or request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        return None
    words = (shelf, token, request.COOKIES.get("theme", ""), request.get_full_path())
    return quote_etag(hashlib.sha256("\n".join(words).encode()).hexdigest()[:32])


def _tag(request: HttpRequest, response: HttpResponse, shelf: str) -> None:
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    etag = _etag(request, shelf)
    if etag is not None and response.status_code == 200:  # noqa: PLR2004
        response["ETag"] = etag
