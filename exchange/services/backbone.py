"""The backbone that the catalogue assumes, reckoned from where the hubs are.

A link's one-way delay is ``great-circle km x 1.5 / 200 km per ms``: fibre takes detours of about a
half, and light in it about 200 km a millisecond. That is geometry and not a measurement. Each hub
is linked with its three nearest, both ways; a route is the path of least delay over the links, and
inside a hub it takes half a millisecond.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

EARTH_KM = 6_371.0
DETOUR = 1.5
FIBRE_KM_PER_MS = 200.0
NEAREST = 3
INSIDE_MS = 0.5
FORMULA = (
    "great-circle km x 1.5 / 200 km per ms over links between each hub and its three nearest; "
    "an assumption, not a measurement"
)

Place = tuple[float, float]  # degrees north and east


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    """The way from ``origin`` to ``region`` over ``links``, each a pair of hubs."""

    origin: str
    region: str
    latency_ms: float
    links: tuple[tuple[str, str], ...]


def distance_km(one: Place, other: Place) -> float:
    """Return the great-circle distance between two places."""
    north, east = math.radians(one[0]), math.radians(one[1])
    north2, east2 = math.radians(other[0]), math.radians(other[1])
    square = (
        math.sin((north2 - north) / 2) ** 2
        + math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    )
    return 2 * EARTH_KM * math.asin(math.sqrt(square))


def delay_ms(one: Place, other: Place) -> float:
    """Return the delay that is reckoned for a fibre between two places, one way."""
    return distance_km(one, other) * DETOUR / FIBRE_KM_PER_MS


def plan_links(places: Mapping[str, Place]) -> list[tuple[str, str]]:
    """Return the links as (origin, region) pairs, sorted."""
    links = set()
    for code, place in places.items():
        others = sorted((delay_ms(place, places[o]), o) for o in places if o != code)
        for _, other in others[:NEAREST]:
            links |= {(code, other), (other, code)}
    return sorted(links)


def plan_routes(places: Mapping[str, Place]) -> list[PlannedRoute]:
    """Return the best route between every two hubs that links connect, and inside each hub."""
    links = plan_links(places)
    return [route for origin in sorted(places) for route in _routes_from(origin, links, places)]


def _routes_from(
    origin: str, links: list[tuple[str, str]], places: Mapping[str, Place]
) -> list[PlannedRoute]:
    found = {}
    waiting: list[tuple[float, str, tuple[tuple[str, str], ...]]] = [(0.0, origin, ())]
    while waiting:
        delay, hub, path = heapq.heappop(waiting)
        if hub in found:
            continue
        found[hub] = PlannedRoute(origin, hub, delay if path else INSIDE_MS, path)
        for link in links:
            if link[0] == hub and link[1] not in found:
                step = delay_ms(places[hub], places[link[1]])
                heapq.heappush(waiting, (delay + step, link[1], (*path, link)))
    return [found[hub] for hub in sorted(found)]
