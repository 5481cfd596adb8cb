"""The backbone of a national day: each hub linked to its nearest, and the routes over it."""

import itertools
from collections.abc import Sequence

import numpy as np

from exchange.engine.book import Floats
from exchange.engine.csv_text import Bytes
from tests.bench.national_facts import BACKBONE, HUBS


def hub_delays() -> Floats:
    """Milliseconds one way by great circle, at 1.5 times the length and 200 km per ms."""
    north = np.radians([hub.north for hub in HUBS])
    east = np.radians([hub.east for hub in HUBS])
    half = np.sin((north[:, None] - north) / 2) ** 2
    half += np.cos(north)[:, None] * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    return np.asarray(2 * 6_371 * np.arcsin(np.sqrt(half)) * 1.5 / 200)


def route_table() -> tuple[dict[str, Bytes], list[str]]:
    """Give the shortest route of each pair, the next that begins elsewhere, and all links."""
    delays = hub_delays()
    near = np.argsort(delays, axis=1, kind="stable")[:, 1 : BACKBONE + 1]
    edges = {(start, int(end)) for start in range(len(HUBS)) for end in near[start]}
    edges |= {(end, start) for start, end in edges}
    rows: list[tuple[str, str, str, str, str]] = []
    for start in range(len(HUBS)):
        for end in range(len(HUBS)):
            path = _shortest(delays, edges, start, end)
            rows.append(_route(delays, path, ""))
            if len(path) > 2:
                other = _shortest(delays, edges - {(path[0], path[1])}, start, end)
                rows.append(_route(delays, other, "/2"))
    columns = list(zip(*rows, strict=True))
    names = ("route", "origin", "region", "latency_ms", "links")
    links = sorted({link for row in rows for link in row[4].split()})
    return {name: names_column(column) for name, column in zip(names, columns, strict=True)}, links


def _route(delays: Floats, path: list[int], suffix: str) -> tuple[str, str, str, str, str]:
    steps = list(itertools.pairwise(path))
    delay = sum(float(delays[step]) for step in steps) if steps else 0.5
    ends = HUBS[path[0]].name, HUBS[path[-1]].name
    links = " ".join(f"{HUBS[start].name}>{HUBS[end].name}" for start, end in steps)
    return f"{ends[0]}:{ends[1]}{suffix}", *ends, f"{delay:.1f}", links


def _shortest(delays: Floats, edges: set[tuple[int, int]], start: int, end: int) -> list[int]:
    reached: dict[int, tuple[float, list[int]]] = {start: (0.0, [start])}
    left = set(range(len(HUBS)))
    while left:
        here = min((place for place in left if place in reached), key=lambda one: reached[one][0])
        left.discard(here)
        delay, path = reached[here]
        for there in sorted(left):
            if (here, there) in edges:
                after = delay + float(delays[here, there])
                if after < reached.get(there, (float("inf"), []))[0]:
                    reached[there] = (after, [*path, there])
    return reached[end][1]


def near_regions() -> Bytes:
    """Where data of each region must stay: the region and its two nearest."""
    delays = hub_delays()
    near = np.argsort(delays, axis=1, kind="stable")[:, :3]
    return names_column(
        [" ".join(sorted(HUBS[place].name for place in row)) for row in near.tolist()]
    )


def names_column(values: Sequence[str]) -> Bytes:
    """Encode a few names."""
    return np.array([value.encode() for value in values], dtype=np.bytes_)
