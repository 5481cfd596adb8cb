"""Offers and bids, each checked against its own rules and the tables it refers to."""

from dataclasses import dataclass

import numpy as np

from exchange.engine import layout
from exchange.engine.book import (
    LOTS_PER_UNIT,
    MICROS,
    NO_GROUP,
    UNLIMITED,
    BidKind,
    Bids,
    Flags,
    Ints,
    Names,
    Offers,
)
from exchange.engine.names import find_names, to_names
from exchange.engine.reading_head import Head
from exchange.engine.reading_network import (
    Named,
    is_repeated,
    micros_places,
    read_share,
    split_list,
)
from exchange.engine.sheet import Sheet

_KINDS = {b"hourly": BidKind.HOURLY, b"block": BidKind.BLOCK, b"volume": BidKind.VOLUME}


@dataclass(frozen=True, slots=True)
class Places:
    """The names that orders refer to."""

    regions: Named
    sites: Named
    accelerators: Named


@dataclass(frozen=True, slots=True)
class _Choices:
    start: Ints
    accelerator: Ints
    factor_micros: Ints


@dataclass(frozen=True, slots=True)
class _Limits:
    price_ticks: Ints
    cap_ticks: int


def read_offers(sheet: Sheet, head: Head, places: Places) -> Offers:
    """Read the sales."""
    named = Named.sort(sheet.key("offer", "offer_repeated"))
    site = sheet.reference("site", places.sites.column, "site_unknown")
    chip = sheet.reference("accelerator", places.accelerators.column, "accelerator_unknown")
    first, end = _read_window(sheet, head)
    quantity = _read_quantity(sheet, "quantity")
    price = _read_price(sheet, layout.LIMIT_TICKS_MAX)
    sheet.refuse("ask_above_cap", price > head.price_cap_ticks, "price", "above the price cap")
    order = named.order
    return Offers(
        names=to_names(named.column),
        site=site[order],
        accelerator=chip[order],
        first=first[order],
        end=end[order],
        quantity_lots=quantity[order],
        price_ticks=price[order],
    )


def read_bids(sheet: Sheet, chips: Sheet, head: Head, places: Places) -> tuple[Bids, Names]:
    """Read the purchases and their acceptable accelerators; give the groups' names too."""
    named = Named.sort(sheet.key("bid", "bid_repeated"))
    kind = _read_kind(sheet)
    origin = sheet.reference("origin", places.regions.column, "origin_unknown")
    first, end = _read_window(sheet, head)
    quantity = _read_quantity(sheet, "quantity")
    whole = (kind != BidKind.BLOCK) | (quantity % LOTS_PER_UNIT == 0)
    sheet.refuse("block_not_whole", ~whole, "quantity", "a block asks for whole units")
    price = _read_price(sheet, layout.LIMIT_TICKS_MAX)
    duration = _read_duration(sheet, kind, end - first)
    volume = _read_volume(sheet, kind, quantity * (end - first))
    latency = micros_places(sheet, "max_latency_ms", layout.LATENCY_MICROS_MAX, empty=UNLIMITED)
    gbps = micros_places(sheet, "gbps", layout.GBPS_MICROS_MAX, empty=0)
    renewable = read_share(sheet, "renewable_min", empty=0)
    group, groups = _read_groups(sheet, kind)
    region_start, regions = _read_regions(sheet, places.regions, named.order)
    choices = _read_choices(chips, named, places.accelerators)
    order = named.order
    limits = _Limits(price[order], head.price_cap_ticks)
    _check_choices(sheet, choices, limits, order)
    bids = Bids(
        names=to_names(named.column),
        kind=kind[order],
        origin=origin[order],
        quantity_lots=quantity[order],
        price_ticks=price[order],
        first=first[order],
        end=end[order],
        duration=duration[order],
        volume_lots=volume[order],
        latency_micros_max=latency[order],
        gbps_micros=gbps[order],
        group=group[order],
        renewable_micros_min=renewable[order],
        region_start=region_start,
        regions=regions,
        choice_start=choices.start,
        choice_accelerator=choices.accelerator,
        choice_factor_micros=choices.factor_micros,
    )
    return bids, groups


def _read_kind(sheet: Sheet) -> Ints:
    text = sheet.text("kind")
    kind = np.full(sheet.rows, -1, dtype=np.int64)
    for word, value in _KINDS.items():
        kind[text == word] = value
    sheet.refuse("kind_unknown", kind < 0, "kind", "must be hourly, block or volume")
    return kind


def _read_window(sheet: Sheet, head: Head) -> tuple[Ints, Ints]:
    first = _whole(sheet, "first", layout.BUDGET_MICROS_MAX)
    end = _whole(sheet, "end", layout.BUDGET_MICROS_MAX)
    sheet.refuse("window_empty", first >= end, "end", "the window ends before it begins")
    detail = f"the horizon ends at {head.periods}"
    sheet.refuse("window_outside_horizon", end > head.periods, "end", detail)
    return first, end


def _read_quantity(sheet: Sheet, column: str) -> Ints:
    most, places = layout.QUANTITY_LOTS_MAX, layout.LOT_PLACES
    quantity = sheet.number(column, places=places, most=most, fine="quantity_off_lot")
    sheet.refuse("quantity_not_positive", quantity == 0, column, "must be above 0")
    return quantity


def _read_price(sheet: Sheet, most: int) -> Ints:
    places = layout.TICK_PLACES
    return sheet.number("price", places=places, most=most, fine="price_off_tick")


def _whole(sheet: Sheet, column: str, most: int, *, empty: int | None = None) -> Ints:
    return sheet.number(column, places=0, most=most, fine="number_not_whole", empty=empty)


def _read_duration(sheet: Sheet, kind: Ints, window: Ints) -> Ints:
    block, unset = kind == BidKind.BLOCK, sheet.is_empty("duration")
    sheet.refuse("duration_not_block", ~block & ~unset, "duration", "only a block has one")
    sheet.refuse("duration_missing", block & unset, "duration", "a block needs one")
    duration = _whole(sheet, "duration", layout.BUDGET_MICROS_MAX, empty=0)
    sheet.refuse("duration_not_positive", block & (duration == 0), "duration", "must be above 0")
    longer = block & (duration > window)
    sheet.refuse("duration_exceeds_window", longer, "duration", "longer than the window")
    return duration


def _read_volume(sheet: Sheet, kind: Ints, most: Ints) -> Ints:
    volume_kind, unset = kind == BidKind.VOLUME, sheet.is_empty("volume")
    sheet.refuse("volume_not_volume", ~volume_kind & ~unset, "volume", "only a volume bid has one")
    sheet.refuse("volume_missing", volume_kind & unset, "volume", "a volume bid needs one")
    limit, places = layout.VOLUME_LOTS_MAX, layout.LOT_PLACES
    volume = sheet.number("volume", places=places, most=limit, fine="quantity_off_lot", empty=0)
    sheet.refuse("volume_not_positive", volume_kind & (volume == 0), "volume", "must be above 0")
    over = volume_kind & (volume > most)
    sheet.refuse("volume_exceeds_window", over, "volume", "more than quantity x window")
    return volume


def _read_groups(sheet: Sheet, kind: Ints) -> tuple[Ints, Names]:
    names = sheet.optional_name("group")
    grouped = ~sheet.is_empty("group")
    sheet.refuse("group_not_block", grouped & (kind != BidKind.BLOCK), "group", "only blocks may")
    group = np.full(sheet.rows, NO_GROUP, dtype=np.int64)
    distinct, rows = np.unique(names[grouped], return_inverse=True)
    group[grouped] = rows
    return group, to_names(distinct)


def _read_regions(sheet: Sheet, regions: Named, order: Ints) -> tuple[Ints, Ints]:
    """Read where each bid may run, in the order of the sorted bids; each list sorted."""
    texts, rows = np.unique(sheet.text("regions"), return_inverse=True)
    listed = [split_list(text) for text in texts.tolist()]
    found = [find_names(np.array(names, dtype="S"), regions.column) for names in listed]
    unknown = np.array([bool((rows_ < 0).any()) for rows_ in found], dtype=np.bool_)
    twice = np.array([len(set(names)) < len(names) for names in listed], dtype=np.bool_)
    sheet.refuse("region_unknown", unknown[rows], "regions", "a region of the list is not known")
    sheet.refuse("region_listed_twice", twice[rows], "regions", "a region stands twice")
    lengths = np.array([len(names) for names in listed], dtype=np.int64)[rows[order]]
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    if not start[-1]:
        return start, np.empty(0, dtype=np.int64)
    flat = np.concatenate([np.sort(each) for each in found])
    begin = np.cumsum([0, *(len(names) for names in listed)])[rows[order]]
    step = np.arange(start[-1]) - np.repeat(start[:-1], lengths)
    return start, flat[np.repeat(begin, lengths) + step]


def _read_choices(sheet: Sheet, bids: Named, accelerators: Named) -> _Choices:
    bid = sheet.reference("bid", bids.column, "bid_unknown")
    chip = sheet.reference("accelerator", accelerators.column, "accelerator_unknown")
    factor = micros_places(sheet, "factor", layout.FACTOR_MICROS_MAX)
    sheet.refuse("factor_not_positive", factor == 0, "factor", "must be above 0")
    again = is_repeated(chip, bid)
    detail = "the bid names the accelerator above"
    sheet.refuse("bid_accelerator_repeated", again, "accelerator", detail)
    usable = np.flatnonzero(~sheet.bad)
    order = usable[np.lexsort((chip[usable], bid[usable]))]
    counts = np.bincount(bid[order], minlength=len(bids.column))
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    return _Choices(start, chip[order], factor[order])


def _check_choices(sheet: Sheet, choices: _Choices, limits: _Limits, order: Ints) -> None:
    none = choices.start[1:] == choices.start[:-1]
    detail = "bid_accelerators.csv names none"
    sheet.refuse("bid_without_accelerators", _unsorted(none, order), "bid", detail)
    factors = np.append(choices.factor_micros, layout.FACTOR_MICROS_MAX)
    least = np.minimum.reduceat(factors, choices.start[:-1]) if len(order) else factors[:0]
    # No product: limit x 10**6 and cap x factor both stay below 10**17.
    above = (limits.price_ticks * MICROS > limits.cap_ticks * least) & ~none
    detail = "above the price cap x the smallest factor"
    sheet.refuse("limit_above_cap", _unsorted(above, order), "price", detail)


def _unsorted(flags: Flags, order: Ints) -> Flags:
    back = np.empty(len(flags), dtype=np.bool_)
    back[order] = flags
    return back
