"""The offers of a national day, and how much its links and regions can carry."""

import numpy as np

from exchange.engine.book import Floats
from exchange.engine.csv_text import Bytes
from exchange.engine.decimals import format_normal
from tests.bench.national_demand import Demand, numbered, pick, unit_hours
from tests.bench.national_facts import (
    ADEQUACY,
    CHIPS_PER_SITE,
    HUBS,
    LINK_SHARE,
    PERIODS,
    SITES_PER_REGION,
    STEPS,
    WEST,
    Size,
)
from tests.bench.national_network import names_column


def offer_tables(
    rng: np.random.Generator, size: Size, demand: Demand
) -> tuple[dict[str, Bytes], dict[str, Bytes], Floats]:
    """Give the offers, the sites, and (regions, periods): the kW that all offered machines draw."""
    per_region = 1 if size.plain else SITES_PER_REGION
    region = np.repeat(np.arange(len(HUBS)), per_region)
    west = np.array([hub.name in WEST for hub in HUBS], dtype=np.bool_)[region]
    green = np.where(west, rng.uniform(0.5, 0.95, len(region)), rng.uniform(0.2, 0.75, len(region)))
    site_names = [
        f"{HUBS[place].name}-{number % per_region + 1:02d}"
        for number, place in enumerate(region.tolist())
    ]
    sites = {
        "site": names_column(site_names),
        "region": names_column([hub.name for hub in HUBS])[region],
        "pue": names_column([f"{HUBS[place].pue:g}" for place in region.tolist()]),
        "renewable_share": format_normal(np.rint(green * 100).astype(np.int64), 2),
    }
    chips = size.chips
    kept = min(CHIPS_PER_SITE, len(chips))
    place = rng.random((len(region), len(chips))).argsort(axis=1)[:, :kept]
    site = np.repeat(np.arange(len(region)), kept)
    chip = place.ravel()
    machines = np.array([hub.machines for hub in HUBS])[region[site]]
    machines *= rng.uniform(0.5, 1.5, size=len(site))
    for row, wanted in enumerate(_wanted_chips(size, demand)):
        mine = chip == row
        machines[mine] *= wanted * ADEQUACY / machines[mine].sum()
    site, chip, machines = (np.repeat(array, STEPS) for array in (site, chip, machines))
    share = rng.uniform(0.5, 1.5, size=len(site))
    lots = np.maximum(1, np.rint(machines / STEPS * share)).astype(np.int64) * 1_000
    ask = np.array([hub.ask for hub in HUBS])[region[site]]
    ask *= np.array([one.price for one in chips])[chip] * rng.uniform(0.45, 1.05, size=len(site))
    first = pick(rng, ((0, 0.8), (6, 0.1), (12, 0.1)), len(site))
    kw = np.array([one.watts for one in chips])[chip] / 1_000
    kw *= np.array([hub.pue for hub in HUBS])[region[site]] * lots / 1_000
    draw_kw = np.zeros((len(HUBS), PERIODS))
    for period in range(PERIODS):
        np.add.at(draw_kw[:, period], region[site], np.where(first <= period, kw, 0.0))
    offers = {
        "offer": numbered("o", len(site)),
        "site": names_column(site_names)[site],
        "accelerator": names_column([one.name for one in chips])[chip],
        "first": format_normal(first, 0),
        "end": format_normal(np.full(len(site), PERIODS), 0),
        "quantity": format_normal(lots, 3),
        "price": format_normal(np.rint(ask * 1_000).astype(np.int64), 3),
    }
    return offers, sites, draw_kw


def _wanted_chips(size: Size, demand: Demand) -> Floats:
    """How many of each chip are wanted at a time, if the chips of a work share it equally."""
    wanted = np.zeros(len(size.chips))
    rows = {chip.name: row for row, chip in enumerate(size.chips)}
    hours = np.bincount(demand.work, weights=unit_hours(demand), minlength=len(size.works))
    for work, units in zip(size.works, hours.tolist(), strict=True):
        for chip, factor in work.factors.items():
            wanted[rows[chip]] += units / PERIODS * factor / len(work.factors)
    return wanted


def link_limits(size: Size, demand: Demand, links: list[str]) -> dict[str, Bytes]:
    """Limit each link to a share of what the buyers at its start could send in a mean hour."""
    most = np.array([max(work.gbps) for work in size.works])[demand.work]
    sent = np.bincount(demand.origin, weights=unit_hours(demand) * most, minlength=len(HUBS))
    starts = [link.split(">")[0] for link in links]
    by_name = {hub.name: sent[row] / PERIODS * LINK_SHARE for row, hub in enumerate(HUBS)}
    return {
        "link": names_column(links),
        "period": np.zeros(len(links), dtype="S1"),
        "gbps": names_column([f"{max(by_name[start], 0.1):.1f}" for start in starts]),
    }


def power_limits(draw_kw: Floats) -> dict[str, Bytes]:
    """Limit the regions that have less power than machines, by period."""
    budgets = [(row, hub.power) for row, hub in enumerate(HUBS) if hub.power is not None]
    rows = [
        (HUBS[row].name, str(period), f"{draw_kw[row, period] * share:.1f}")
        for row, share in budgets
        for period in range(PERIODS)
    ]
    columns = zip(*rows, strict=True)
    names = ("region", "period", "kw")
    return {name: names_column(column) for name, column in zip(names, columns, strict=True)}
