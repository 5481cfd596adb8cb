"""The three traces in their publishers' own formats.

Jobs: the Philly trace of Microsoft (Jeon et al., ATC 2019; data under CC BY 4.0) as one CSV line a
job. Nodes: the GPU node list of Alibaba's spot cluster trace (Duan et al., ASPLOS 2026). Prices:
list and spot prices per GPU-hour by region, as public price files give them.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from exchange.management.traces.table import TraceRefused, number, rows


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it was submitted: the hour of the day, GPUs, hours, and whose cluster it was."""

    row: int
    submitted_hour: int
    gpus: int
    hours: float
    tenant: str


@dataclass(frozen=True, slots=True)
class Node:
    """One machine: the model of its GPUs and how many it has."""

    row: int
    model: str
    gpus: int


@dataclass(slots=True)
class Prices:
    """Currency per GPU-hour: lowest list price by (model, region), spot over list by model."""

    listed: dict[tuple[str, str], float] = field(default_factory=dict)
    spot_ratios: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def listed_near(self, model: str, region: str) -> float:
        """Return the region's price, else the lowest of any region; KeyError if never listed."""
        if (model, region) in self.listed:
            return self.listed[model, region]
        found = [price for (name, _), price in self.listed.items() if name == model]
        if not found:
            raise KeyError(model)
        return min(found)


def read_jobs(path: Path, *, days: frozenset[date]) -> list[Job]:
    """Return the jobs submitted on ``days``, in the file's order."""
    columns = ("timestamp", "duration", "num_gpus", "cluster")
    jobs = []
    for row, cells in rows(path, columns=columns):
        try:
            moment = datetime.fromisoformat(cells["timestamp"])
        except ValueError as error:
            raise TraceRefused(f"{path.name}, row {row}, column timestamp: {error}") from error
        if moment.date() not in days:
            continue
        gpus = number(path, row, cells, "num_gpus")
        hours = number(path, row, cells, "duration") / 3600
        jobs.append(Job(row, moment.hour, int(gpus), hours, cells["cluster"]))
    if not jobs:
        named = ", ".join(sorted(day.isoformat() for day in days))
        raise TraceRefused(f"{path.name}: no job was submitted on {named}")
    return jobs


def read_nodes(path: Path) -> list[Node]:
    """Return the machines, in the file's order."""
    found = []
    for row, cells in rows(path, columns=("gpu_model", "gpu_capacity_num")):
        gpus = number(path, row, cells, "gpu_capacity_num")
        found.append(Node(row, cells["gpu_model"], int(gpus)))
    return found


def read_prices(path: Path, *, currency: str) -> Prices:
    """Return the prices of one currency."""
    prices = Prices()
    columns = ("region", "gpu_model", "currency", "on_demand_per_gpu_h", "spot_median_per_gpu_h")
    for row, cells in rows(path, columns=columns):
        if cells["currency"] != currency or not cells["on_demand_per_gpu_h"]:
            continue
        listed = number(path, row, cells, "on_demand_per_gpu_h")
        key = cells["gpu_model"], cells["region"]
        prices.listed[key] = min(listed, prices.listed.get(key, listed))
        if cells["spot_median_per_gpu_h"]:
            spot = number(path, row, cells, "spot_median_per_gpu_h")
            prices.spot_ratios[cells["gpu_model"]].append(spot / listed)
    return prices
