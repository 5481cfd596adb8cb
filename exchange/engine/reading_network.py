"""Regions, chips, sites, routes and the limits they share."""

from dataclasses import dataclass

import numpy as np

from exchange.engine import layout
from exchange.engine.book import MICROS, UNLIMITED, Accelerators, Flags, Ints, Names, Routes, Sites
from exchange.engine.csv_text import Bytes
from exchange.engine.names import find_names, name_order, to_names
from exchange.engine.sheet import Sheet

_SEPARATOR = b" "


@dataclass(frozen=True, slots=True)
class Named:
    """Names in their order, as bytes: what the other tables refer to."""

    column: Bytes
    order: Ints

    @classmethod
    def sort(cls, column: Bytes) -> "Named":
        """Sort the names of a table's rows; ``order`` puts its other columns likewise."""
        order = name_order(column)
        return cls(column[order], order)


def read_accelerators(sheet: Sheet) -> tuple[Accelerators, Named]:
    """Read the chip models."""
    named = Named.sort(sheet.key("accelerator", "accelerator_repeated"))
    domestic = sheet.text("domestic")
    sheet.refuse("flag_bad", (domestic != b"0") & (domestic != b"1"), "domestic", "must be 0 or 1")
    tflops = _micros(sheet, "tflops", layout.TFLOPS_MICROS_MAX)
    watts = _micros(sheet, "watts", layout.WATTS_MICROS_MAX)
    accelerators = Accelerators(
        names=to_names(named.column),
        domestic=np.asarray(domestic == b"1")[named.order],
        tflops_micros=tflops[named.order],
        watts_micros=watts[named.order],
    )
    return accelerators, named


def read_sites(sheet: Sheet, regions: Named) -> tuple[Sites, Named]:
    """Read the data centres."""
    named = Named.sort(sheet.key("site", "site_repeated"))
    region = sheet.reference("region", regions.column, "region_unknown")
    pue = _micros(sheet, "pue", layout.PUE_MICROS_MAX)
    sheet.refuse("pue_below_one", pue < MICROS, "pue", "must be at least 1")
    renewable = read_share(sheet, "renewable_share", empty=None)
    sites = Sites(
        names=to_names(named.column),
        region=region[named.order],
        pue_micros=pue[named.order],
        renewable_micros=renewable[named.order],
    )
    return sites, named


def read_share(sheet: Sheet, column: str, *, empty: int | None) -> Ints:
    """Read a share from 0 to 1, in millionths."""
    share = _micros(sheet, column, layout.BUDGET_MICROS_MAX, empty=empty)
    sheet.refuse("share_out_of_range", share > MICROS, column, "must be from 0 to 1")
    return share


def read_routes(sheet: Sheet, regions: Named, limits: Sheet | None) -> tuple[Routes, Named]:
    """Read the routes; the links are those that routes run over or limits name."""
    named = Named.sort(sheet.key("route", "route_repeated"))
    origin = sheet.reference("origin", regions.column, "origin_unknown")
    region = sheet.reference("region", regions.column, "region_unknown")
    latency = _micros(sheet, "latency_ms", layout.LATENCY_MICROS_MAX)
    listed = [split_list(value) for value in sheet.text("links").tolist()]
    twice = np.array([len(set(links)) < len(links) for links in listed], dtype=np.bool_)
    sheet.refuse("route_link_repeated", twice, "links", "a route runs over a link once")
    every = {link for links in listed for link in links}
    if limits is not None:
        every |= set(limits.name("link").tolist()) - {b""}
    links = Named.sort(np.array(sorted(every) or [b""], dtype=np.bytes_)[: len(every)])
    start, flat = gather_lists([listed[row] for row in named.order], links)
    routes = Routes(
        names=to_names(named.column),
        origin=origin[named.order],
        region=region[named.order],
        latency_micros=latency[named.order],
        link_start=start,
        links=flat,
    )
    return routes, links


def read_link_limits(sheet: Sheet | None, links: Named, periods: int) -> Ints:
    """Read (links, periods) Gbps in millionths; ``UNLIMITED`` where no row says otherwise."""
    limits = np.full((len(links.column), periods), UNLIMITED, dtype=np.int64)
    if sheet is None:
        return limits
    link = sheet.reference("link", links.column, "link_unknown")
    every = sheet.is_empty("period")
    period = np.where(every, -1, read_period(sheet, "period", periods, empty=0))
    gbps = _micros(sheet, "gbps", layout.BUDGET_MICROS_MAX)
    again = is_repeated(link, period)
    sheet.refuse("link_period_repeated", again, "period", "the link's period stands above")
    has_every = np.zeros(len(links.column), dtype=np.bool_)
    has_every[link[every]] = True
    detail = "another row limits the link in every period"
    sheet.refuse("link_period_overlaps", ~every & has_every[link], "period", detail)
    limits[link[every]] = gbps[every][:, None]
    limits[link[~every], period[~every]] = gbps[~every]
    return limits


def read_power_limits(sheet: Sheet | None, regions: Named, periods: int) -> Ints:
    """Read (regions, periods) kW in millionths; ``UNLIMITED`` where there is no row."""
    limits = np.full((len(regions.column), periods), UNLIMITED, dtype=np.int64)
    if sheet is None:
        return limits
    region = sheet.reference("region", regions.column, "region_unknown")
    period = read_period(sheet, "period", periods, empty=None)
    kw = _micros(sheet, "kw", layout.BUDGET_MICROS_MAX)
    again = is_repeated(region, period)
    sheet.refuse("power_period_repeated", again, "period", "the region's period stands above")
    limits[region, period] = kw
    return limits


def read_period(sheet: Sheet, column: str, periods: int, *, empty: int | None) -> Ints:
    """Read the number of a period (0 where refused)."""
    most = layout.BUDGET_MICROS_MAX
    period = sheet.number(column, places=0, most=most, fine="number_not_whole", empty=empty)
    outside = period >= periods
    detail = f"the last period is {periods - 1}"
    sheet.refuse("period_outside_horizon", outside, column, detail)
    return np.where(outside, 0, period)


def is_repeated(*keys: Ints) -> Flags:
    """Flag rows whose keys, taken together, stand in an earlier row."""
    repeated = np.zeros(len(keys[0]), dtype=np.bool_)
    order = np.lexsort(keys)
    same = np.ones(max(0, len(order) - 1), dtype=np.bool_)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    repeated[order[1:]] = same
    return repeated


def split_list(value: bytes) -> list[bytes]:
    """Split names separated by spaces."""
    return [name for name in value.split(_SEPARATOR) if name]


def gather_lists(lists: list[list[bytes]], among: Named) -> tuple[Ints, Ints]:
    """Turn lists of known names into rows of ``among``: where each list starts, and all rows."""
    start = np.zeros(len(lists) + 1, dtype=np.int64)
    start[1:] = np.cumsum([len(names) for names in lists])
    flat = np.array([name for names in lists for name in names] or [b""], dtype=np.bytes_)
    return start, find_names(flat[: int(start[-1])], among.column)


def micros_places(sheet: Sheet, column: str, most: int, *, empty: int | None = None) -> Ints:
    """Read a column in millionths."""
    places, fine = layout.MICRO_PLACES, "number_too_fine"
    return sheet.number(column, places=places, most=most, fine=fine, empty=empty)


_micros = micros_places


def read_regions(sheet: Sheet) -> tuple[Names, Named]:
    """Read the regions; their names stand in lists, so they have no spaces."""
    names = sheet.key("region", "region_repeated")
    refuse_spaces(sheet, "region", names)
    named = Named.sort(names)
    return to_names(named.column), named


def refuse_spaces(sheet: Sheet, column: str, names: Bytes) -> None:
    """Refuse names that could not stand in a list separated by spaces."""
    spaced = np.char.find(names, _SEPARATOR) >= 0
    sheet.refuse("name_with_space", spaced, column, "the name may hold no space")
