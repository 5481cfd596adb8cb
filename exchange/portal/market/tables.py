"""The market's tables as files: CSV and JSON of what the pages show, and the whole archive."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Auction
from exchange.portal.archives import sent_archive
from exchange.portal.market.curves import curves_of
from exchange.portal.market.index import series_of
from exchange.portal.market.kept import KEPT_SECONDS, RELEASE
from exchange.portal.market.regions import network_of
from exchange.portal.market.sights import result_or_404, sight_of
from exchange.portal.table_files import FORMS, Table, Write
from exchange.queries.archive_files import public_files
from exchange.queries.market import public_fills
from exchange.queries.market_index import IndexTable, accelerator_index, class_index
from exchange.queries.price_maps import region_prices
from exchange.queries.publications import is_book_open, market_stamp

MAX_AGE_SECONDS = 60
KEPT_LENGTH_MAX = 1 << 20


@require_safe
def auction_table(request: HttpRequest, public_id: str, table: str, form: str) -> HttpResponseBase:
    """Give one table of a published auction: prices, curves, flows, links or fills."""
    auction = result_or_404(public_id).auction
    if table not in _TABLES:
        raise Http404
    name = f"{auction.public_id}-{table}"
    return _answer(request, name, form, lambda: _TABLES[table](request, auction))


@require_safe
def index_table(request: HttpRequest, table: str, form: str) -> HttpResponseBase:
    """Give the index of a series: of accelerators, or of classes."""
    _rows, series = series_of(request)
    makers = {"accelerators": accelerator_index, "classes": class_index}
    if series is None or table not in makers:
        raise Http404
    index = makers[table]
    return _answer(request, f"index-{table}", form, lambda: _index_table(index(series.code)))


def _index_table(index: IndexTable) -> Table:
    columns = ("auction", "starts_at", *(code for code, _ in index.columns))
    return columns, (
        (point.auction.public_id, _instant(point.at), *(_price(ticks) for ticks in point.ticks))
        for point in index.points
    )


@require_safe
def auction_archive(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Give the whole book with its result in one file, once the book is public."""
    result = result_or_404(public_id)
    if not is_book_open(result.auction):
        raise Http404
    return sent_archive(result, public_files(result, now=market_now()))


def _prices(request: HttpRequest, auction: Auction) -> Table:
    columns = ("region", "accelerator", "period", "starts_at", "price", "traded", "quantity")
    chip = request.GET.get("accelerator") or None
    return columns, (
        (
            *(price.region, price.accelerator, price.period),
            _instant(auction.period(price.period).start),
            _price(price.ticks),
            int(price.traded_ticks is not None),
            format_scaled(price.lots, scale=LOTS),
        )
        for price in region_prices(auction, chip)
    )


def _curves(request: HttpRequest, auction: Auction) -> Table:
    wanted = request.GET.dict() | {"auction": auction.public_id}
    sight = sight_of(wanted, "accelerator", "region", "period")
    if sight is None or not sight.is_valid:
        raise Http404
    curves = curves_of(sight)
    steps = [("supply", step) for step in curves.supply]
    steps += [("demand", step) for step in curves.demand]
    rows = (
        (
            side,
            _price(step.price_ticks),
            format_scaled(step.lots, scale=LOTS),
            format_scaled(step.total_lots, scale=LOTS),
        )
        for side, step in steps
    )
    return ("side", "price", "quantity", "total_quantity"), rows


def _period(request: HttpRequest, auction: Auction) -> int | None:
    asked = request.GET.get("period", "")
    if not asked:
        return None
    if not asked.isascii() or not asked.isdigit() or int(asked) >= auction.periods:
        raise Http404
    return int(asked)


def _flows(request: HttpRequest, auction: Auction) -> Table:
    flows, _links = network_of(auction, _period(request, auction))
    rows = ((f.origin, f.region, format_scaled(f.lots, scale=LOTS)) for f in flows)
    return ("origin", "region", "accelerator_periods"), rows


def _links(request: HttpRequest, auction: Auction) -> Table:
    _flows_there, links = network_of(auction, _period(request, auction))
    rows = (
        (
            *(link.link, link.origin, link.region),
            format_scaled(link.used_micros, scale=MICROS),
            None if link.limit_micros is None else format_scaled(link.limit_micros, scale=MICROS),
            _price(link.price_ticks),
        )
        for link in links
    )
    return ("link", "origin", "region", "gbps_used", "gbps_limit", "price"), rows


def _fills(request: HttpRequest, auction: Auction) -> Table:
    columns = ("origin", "region", "site", "accelerator", "route", "starts_at", "ends_at")
    fills = public_fills().filter(auction=auction).order_by("period", "site_id", "accelerator_id")
    rows = (
        (
            *(fill.route.origin.code, fill.site.region.code, fill.site.code),
            *(fill.accelerator.code, fill.route.code),
            *(_instant(fill.starts_at), _instant(fill.ends_at)),
            format_scaled(fill.quantity_lots, scale=LOTS),
            _price(fill.price_ticks),  # type: ignore[attr-defined]
        )
        for fill in fills.iterator(chunk_size=2_000)
    )
    return (*columns, "quantity", "price"), rows


_TABLES: dict[str, Callable[[HttpRequest, Auction], Table]] = {
    "prices": _prices,
    "curves": _curves,
    "flows": _flows,
    "links": _links,
    "fills": _fills,
}


def _answer(
    request: HttpRequest, name: str, form: str, make: Callable[[], Table]
) -> HttpResponseBase:
    if form not in FORMS:
        raise Http404
    words = f"{market_stamp()}{request.get_full_path()}"
    etag = quote_etag(hashlib.sha256(words.encode()).hexdigest()[:32])
    response = get_conditional_response(request, etag=etag)
    if response is None:
        kind, write = FORMS[form]
        response = HttpResponse(_text(etag, write, make), content_type=kind)
        response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    return response


def _text(etag: str, write: Write, make: Callable[[], Table]) -> str:
    """Return a file's text, made once between two publications unless it is very long."""
    shelf = f"file:{RELEASE}:{etag}"
    kept = cache.get(shelf)
    if kept is not None:
        return str(kept)
    text = "".join(write(*make()))
    if len(text) <= KEPT_LENGTH_MAX:
        cache.set(shelf, text, KEPT_SECONDS)
    return text


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _price(ticks: int | None) -> str | None:
    return None if ticks is None else format_scaled(ticks, scale=TICKS)
