"""The canonical text of a book: rows by name, numbers as short as they go."""

import json
from collections.abc import Iterator, Mapping

import numpy as np

from exchange.engine import layout
from exchange.engine.book import UNLIMITED, BidKind, Book, Flags, Ints, Names
from exchange.engine.csv_text import Bytes, format_csv
from exchange.engine.decimals import decimal_text, format_normal, normal_text
from exchange.engine.distinct import number_lists, number_rows
from exchange.engine.names import to_column
from exchange.engine.reading_head import HEAD_FILE

_KIND_WORDS = np.array([kind.name.lower() for kind in sorted(BidKind)], dtype=np.bytes_)


def book_texts(book: Book) -> Iterator[tuple[str, bytes]]:
    """Give each file's name and canonical bytes; ``links.csv`` and ``power.csv`` if they limit."""
    yield HEAD_FILE, head_text(book)
    for file, columns in _tables(book):
        assert tuple(columns) == layout.BOOK_TABLES[file]
        yield file, format_csv(columns)


def head_text(book: Book) -> bytes:
    """Give ``book.json``."""
    share = book.min_domestic_share_micros
    fields = {
        "format": layout.BOOK_FORMAT,
        "auction": book.auction,
        "currency": book.currency,
        "start": book.start.isoformat(),
        "period_minutes": book.period_minutes,
        "periods": book.periods,
        "price_tick": decimal_text(1, layout.TICK_PLACES),
        "price_cap": decimal_text(book.price_cap_ticks, layout.TICK_PLACES),
        "min_domestic_share": None if share is None else normal_text(share, layout.MICRO_PLACES),
    }
    return json.dumps(fields, indent=1, ensure_ascii=False).encode() + b"\n"


def _tables(book: Book) -> Iterator[tuple[str, Mapping[str, Bytes]]]:
    regions = to_column(book.regions)
    chips = to_column(book.accelerators.names)
    sites = to_column(book.sites.names)
    yield "regions.csv", {"region": regions}
    yield (
        "accelerators.csv",
        {
            "accelerator": chips,
            "domestic": _whole(book.accelerators.domestic.astype(np.int64)),
            "tflops": _micros(book.accelerators.tflops_micros),
            "watts": _micros(book.accelerators.watts_micros),
        },
    )
    yield (
        "sites.csv",
        {
            "site": sites,
            "region": regions[book.sites.region],
            "pue": _micros(book.sites.pue_micros),
            "renewable_share": _micros(book.sites.renewable_micros),
        },
    )
    yield (
        "routes.csv",
        {
            "route": to_column(book.routes.names),
            "origin": regions[book.routes.origin],
            "region": regions[book.routes.region],
            "latency_ms": _micros(book.routes.latency_micros),
            "links": _join_lists(book.routes.link_start, book.routes.links, book.links),
        },
    )
    if (book.link_gbps_micros != UNLIMITED).any():
        yield "links.csv", _limit_table(("link", "gbps"), book.links, book.link_gbps_micros)
    if (book.power_kw_micros != UNLIMITED).any():
        yield "power.csv", _limit_table(("region", "kw"), book.regions, book.power_kw_micros)
    yield "offers.csv", _offer_table(book, sites, chips)
    yield "bids.csv", _bid_table(book, regions)
    yield "bid_accelerators.csv", _choice_table(book, chips)


def _limit_table(words: tuple[str, str], names: Names, limits: Ints) -> Mapping[str, Bytes]:
    row, period = np.nonzero(limits != UNLIMITED)
    name, amount = words
    return {
        name: to_column(names)[row],
        "period": _whole(period),
        amount: _micros(limits[row, period]),
    }


def _offer_table(book: Book, sites: Bytes, chips: Bytes) -> Mapping[str, Bytes]:
    offers = book.offers
    return {
        "offer": to_column(offers.names),
        "site": sites[offers.site],
        "accelerator": chips[offers.accelerator],
        "first": _whole(offers.first),
        "end": _whole(offers.end),
        "quantity": format_normal(offers.quantity_lots, layout.LOT_PLACES),
        "price": format_normal(offers.price_ticks, layout.TICK_PLACES),
    }


def _bid_table(book: Book, regions: Bytes) -> Mapping[str, Bytes]:
    bids = book.bids
    groups = np.append(to_column(book.groups), b"")
    volume = format_normal(bids.volume_lots, layout.LOT_PLACES)
    return {
        "bid": to_column(bids.names),
        "kind": _KIND_WORDS[bids.kind],
        "origin": regions[bids.origin],
        "quantity": format_normal(bids.quantity_lots, layout.LOT_PLACES),
        "price": format_normal(bids.price_ticks, layout.TICK_PLACES),
        "first": _whole(bids.first),
        "end": _whole(bids.end),
        "duration": _where(bids.kind == BidKind.BLOCK, _whole(bids.duration)),
        "volume": _where(bids.kind == BidKind.VOLUME, volume),
        "max_latency_ms": _where(
            bids.latency_micros_max != UNLIMITED, _micros(bids.latency_micros_max)
        ),
        "gbps": _micros(bids.gbps_micros),
        "group": groups[bids.group],  # NO_GROUP is the last row: empty.
        "regions": _join_lists(bids.region_start, bids.regions, book.regions),
        "renewable_min": _where(bids.renewable_micros_min > 0, _micros(bids.renewable_micros_min)),
    }


def _choice_table(book: Book, chips: Bytes) -> Mapping[str, Bytes]:
    bids = book.bids
    bid = np.repeat(np.arange(len(bids.names)), np.diff(bids.choice_start))
    return {
        "bid": to_column(bids.names)[bid],
        "accelerator": chips[bids.choice_accelerator],
        "factor": _micros(bids.choice_factor_micros),
    }


def _whole(values: Ints) -> Bytes:
    return format_normal(values, 0)


def _micros(values: Ints) -> Bytes:
    return format_normal(values, layout.MICRO_PLACES)


def _where(where: Flags, texts: Bytes) -> Bytes:
    return np.where(where, texts, np.bytes_(b""))


def _join_lists(start: Ints, rows: Ints, names: Names) -> Bytes:
    """Write each row's list of names, separated by spaces; equal lists are joined once."""
    first, code = number_rows((number_lists(start, rows),))
    words = to_column(names).tolist()
    lists = (rows[start[row] : start[row + 1]].tolist() for row in first.tolist())
    texts = [b" ".join(words[row] for row in listed) for listed in lists]
    return np.array(texts or [b""], dtype=np.bytes_)[code]
