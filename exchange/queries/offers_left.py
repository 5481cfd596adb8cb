"""What the offers of a closed book can still sell: contracted capacity is not offered again.

An offer has left its quantity less what it sold in auctions published before. All offers of one
accelerator at one site together have no more than what stands there, is not contracted and is not
down for maintenance; where that is less, the cheapest offers keep what they have, then by id.
What buyers offer back of their contracts is contracted: it takes nothing from its place.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from exchange.engine.book import Ints
from exchange.engine.csv_text import format_csv, text_column
from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import Auction
from exchange.queries.copying import copy_rows_out
from exchange.queries.occupancy import busiest, equal_runs, whole_periods
from exchange.queries.order_names import part_names
from exchange.queries.resales_left import resales_left

ENTRIES = """
SELECT offer.id, offer.public_id, site.code, accelerator.code, site.id, accelerator.id,
    extract(epoch FROM version.starts_at - auction.starts_at)::bigint / 60,
    extract(epoch FROM version.ends_at - auction.starts_at)::bigint / 60,
    version.quantity_lots, version.price_ticks, offer.resale_id
FROM exchange_offerentry AS entry
JOIN exchange_auction AS auction ON auction.id = entry.auction_id
JOIN exchange_offerversion AS version ON version.id = entry.version_id
JOIN exchange_offer AS offer ON offer.id = version.offer_id
JOIN exchange_site AS site ON site.id = offer.site_id
JOIN exchange_accelerator AS accelerator ON accelerator.id = offer.accelerator_id
WHERE entry.auction_id = %(auction)s
ORDER BY version.price_ticks, offer.public_id
"""
ENTRY_TYPES = ["int8", "text", "text", "text", *["int8"] * 7]
# Whatever sold before at the sites of this book, and what stands or is down there.
SOLD = """
SELECT fill.offer_id, offer.site_id, offer.accelerator_id,
    extract(epoch FROM fill.starts_at - auction.starts_at)::bigint / 60,
    extract(epoch FROM fill.ends_at - auction.starts_at)::bigint / 60, fill.quantity_lots
FROM exchange_offerfill AS fill
JOIN exchange_auction AS sale ON sale.id = fill.auction_id AND sale.state = 'published'
JOIN exchange_auction AS auction ON auction.id = %(auction)s AND sale.id <> auction.id
JOIN exchange_offer AS offer ON offer.id = fill.offer_id AND offer.resale_id IS NULL
WHERE fill.ends_at > auction.starts_at AND fill.starts_at < auction.ends_at
"""
SOLD_TYPES = ["int8"] * 6
STANDING_THERE = """
SELECT capacity.site_id, capacity.accelerator_id,
    extract(epoch FROM capacity.starts_at - auction.starts_at)::bigint / 60,
    extract(epoch FROM LEAST(capacity.ends_at, auction.ends_at) - auction.starts_at)::bigint / 60,
    -capacity.quantity_lots
FROM exchange_sitecapacity AS capacity
JOIN exchange_auction AS auction ON auction.id = %(auction)s
WHERE capacity.starts_at < auction.ends_at
  AND (capacity.ends_at IS NULL OR capacity.ends_at > auction.starts_at)
UNION ALL
SELECT down.site_id, there.accelerator_id,
    extract(epoch FROM down.starts_at - auction.starts_at)::bigint / 60,
    extract(epoch FROM down.ends_at - auction.starts_at)::bigint / 60,
    COALESCE(down.quantity_lots, there.quantity_lots)
FROM exchange_maintenancewindow AS down
JOIN exchange_auction AS auction ON auction.id = %(auction)s
JOIN (SELECT site_id, accelerator_id, sum(quantity_lots)::bigint AS quantity_lots
      FROM exchange_sitecapacity GROUP BY 1, 2) AS there
  ON there.site_id = down.site_id
     AND (down.accelerator_id IS NULL OR down.accelerator_id = there.accelerator_id)
WHERE down.starts_at < auction.ends_at AND down.ends_at > auction.starts_at
  AND down.created_at <= auction.closed_at
  AND (down.cancelled_at IS NULL OR down.cancelled_at > auction.closed_at)
"""
STANDING_TYPES = ["int8"] * 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The offers of a book, cheapest first; ``place`` numbers their (site, accelerator), or is -1.

    ``resale`` is what a buyer offers back, None for what a provider offers of its site.
    """

    offer: list[int]
    name: list[str]
    site: list[str]
    accelerator: list[str]
    place: Ints
    places: dict[tuple[int, int], int]
    first: Ints
    end: Ints
    quantity_lots: Ints
    price_ticks: list[int]
    resale: list[int | None]


def offers_table(auction: Auction) -> bytes:
    """Return ``offers.csv`` of a closed book: a row for each run of periods with one amount."""
    entries = _read_entries(auction)
    left = lots_left(auction, entries)
    rows = []
    for number, public_id in enumerate(entries.name):
        runs = equal_runs(left[number])
        names = part_names(public_id, [first for first, _, _ in runs])
        for name, (first, end, lots) in zip(names, runs, strict=True):
            rows.append((number, name, first, end, lots))
    return format_csv(
        {
            "offer": text_column([name for _, name, *_ in rows]),
            "site": text_column([entries.site[number] for number, *_ in rows]),
            "accelerator": text_column([entries.accelerator[number] for number, *_ in rows]),
            "first": text_column([str(first) for *_, first, _, _ in rows]),
            "end": text_column([str(end) for *_, end, _ in rows]),
            "quantity": text_column([format_scaled(lots, scale=LOTS) for *_, lots in rows]),
            "price": text_column(
                [format_scaled(entries.price_ticks[number], scale=TICKS) for number, *_ in rows]
            ),
        }
    )


def lots_left(auction: Auction, entries: Entries) -> Ints:
    """Return shape (offers, periods): the lots that each offer of the book may still sell."""
    size = {"periods": auction.periods, "minutes": auction.period_minutes}
    first, end = whole_periods(entries.first, entries.end, **size)
    period = np.arange(auction.periods)
    covers = (period >= first[:, None]) & (period < end[:, None])
    sold = _table(copy_rows_out(SOLD, {"auction": auction.pk}, SOLD_TYPES), 6)
    row_of = {offer: row for row, offer in enumerate(entries.offer)}
    mine = np.array([offer in row_of for offer in sold[:, 0].tolist()], dtype=np.bool_)
    rows = np.array([row_of[offer] for offer in sold[mine, 0].tolist()], dtype=np.int64)
    own = busiest(
        rows, (sold[mine, 3], sold[mine, 4]), sold[mine, 5], rows=len(entries.offer), **size
    )
    own_left = np.where(covers, np.maximum(entries.quantity_lots[:, None] - own, 0), 0)
    left = _share_places(own_left, entries.place, _place_left(auction, entries, sold))
    back = {row: resale for row, resale in enumerate(entries.resale) if resale is not None}
    resold = resales_left(auction, back.values())
    for row, resale in back.items():
        left[row] = np.where(covers[row], resold[resale], 0)
    return left


def _read_entries(auction: Auction) -> Entries:
    rows = copy_rows_out(ENTRIES, {"auction": auction.pk}, ENTRY_TYPES)
    columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
    ids, names, sites, chips, site_ids, chip_ids, first, end, lots, price, resale = columns or [
        [] for _ in ENTRY_TYPES
    ]
    places: dict[tuple[int, int], int] = {}
    place = [places.setdefault(key, len(places)) for key in zip(site_ids, chip_ids, strict=True)]
    return Entries(
        offer=ids,
        name=names,
        site=sites,
        accelerator=chips,
        place=np.where([each is None for each in resale], np.array(place, dtype=np.int64), -1),
        places=places,
        first=np.array(first, dtype=np.int64),
        end=np.array(end, dtype=np.int64),
        quantity_lots=np.array(lots, dtype=np.int64),
        price_ticks=price,
        resale=resale,
    )


def _place_left(auction: Auction, entries: Entries, sold: Ints) -> Ints:
    """Return shape (places, periods): what stands there, is up, and is not contracted."""
    there = _table(copy_rows_out(STANDING_THERE, {"auction": auction.pk}, STANDING_TYPES), 5)
    stretches = np.concatenate([there, sold[:, 1:]])
    keys = [(int(site), int(chip)) for site, chip in stretches[:, :2].tolist()]
    known = np.array([key in entries.places for key in keys], dtype=np.bool_)
    place = np.array([entries.places[key] for key in keys if key in entries.places], dtype=np.int64)
    stretches = stretches[known]
    # What stands there counts as negative, so that the busiest moment is the one with least left.
    short = busiest(
        place,
        (stretches[:, 2], stretches[:, 3]),
        stretches[:, 4],
        rows=len(entries.places),
        periods=auction.periods,
        minutes=auction.period_minutes,
    )
    return np.maximum(-short, 0)


def _share_places(own: Ints, place: Ints, place_left: Ints) -> Ints:
    """Cut what offers have to what their place has, the first in the list first."""
    left = np.zeros_like(own)
    for number in range(len(place_left)):
        rows = np.flatnonzero(place == number)
        before = own[rows].cumsum(axis=0) - own[rows]
        left[rows] = np.clip(place_left[number] - before, 0, own[rows])
    return left


def _table(rows: list[tuple[Any, ...]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)
