"""Distances, a backbone and routes between places: stated assumptions, and arithmetic."""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

EARTH_RADIUS_KM = 6_371.0088
DETOUR = 1.5  # fibre does not run along the great circle
LIGHT_KM_PER_MS = 200.0  # in glass
INSIDE_MS = 1.0  # between sites of one region
NEIGHBOURS = 3  # the backbone joins each place with its nearest others
MICROS = 1_000_000

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Path:
    """A way from one place to another: ``stops`` begin with the one and end with the other."""

    stops: tuple[str, ...]
    latency_micros: int

    @property
    def links(self) -> list[str]:
        """Return the names of the links in order of travel."""
        return [link_code(a, b) for a, b in pairwise(self.stops)]


class NotConnected(Exception):
    """The backbone does not reach every place."""


def link_code(origin: str, region: str) -> str:
    """Return what the link from one region to another is called."""
    return f"{origin}.{region}"


def distance_km(here: Place, there: Place) -> float:
    """Return the great-circle distance of two places given in degrees north and east."""
    phi, psi = math.radians(here[0]), math.radians(there[0])
    half_north = (psi - phi) / 2
    half_east = math.radians(there[1] - here[1]) / 2
    part = math.sin(half_north) ** 2 + math.cos(phi) * math.cos(psi) * math.sin(half_east) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(part))


def latency_ms(km: float) -> float:
    """Return the one-way latency of a fibre over a distance, by the stated formula."""
    return km * DETOUR / LIGHT_KM_PER_MS


def backbone(places: Mapping[str, Place]) -> dict[str, dict[str, float]]:
    """Return the latency in ms of every link: each place with its three nearest, both ways."""
    links: dict[str, dict[str, float]] = {code: {} for code in places}
    for code, here in places.items():
        others = sorted(
            (distance_km(here, places[other]), other) for other in places.keys() - {code}
        )
        for km, other in others[:NEIGHBOURS]:
            links[code][other] = links[other][code] = latency_ms(km)
    return links


def shortest_paths(links: Mapping[str, Mapping[str, float]], origin: str) -> dict[str, Path]:
    """Return the path of least latency from ``origin`` to every place, itself included.

    Raises NotConnected if a place cannot be reached.
    """
    found: dict[str, Path] = {}
    waiting: list[tuple[float, tuple[str, ...]]] = [(0.0, (origin,))]
    while waiting:
        ms, stops = heapq.heappop(waiting)
        here = stops[-1]
        if here in found:
            continue
        found[here] = Path(stops, round((ms if len(stops) > 1 else INSIDE_MS) * MICROS))
        for there, step in sorted(links[here].items()):
            if there not in found:
                heapq.heappush(waiting, (ms + step, (*stops, there)))
    if missing := sorted(links.keys() - found.keys()):
        raise NotConnected(f"no path from {origin} to {', '.join(missing)}")
    return found
