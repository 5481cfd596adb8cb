"""Where the map draws what: regions by their coordinates, flows and links as bent lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import cos, hypot, radians

from exchange.foundation.money import MICROS
from exchange.models import Region
from exchange.queries.flows import Flow, LinkUse
from exchange.queries.price_maps import heat_of

WIDTH = 900
HEIGHT = 620
EDGE = 80
BEND = 0.16
WIDEST = 7.0
LABEL_GAP = 24
LABEL_WIDTH = 110
FULL = 990_000  # millionths: a link at 99 % is drawn as full


@dataclass(frozen=True, slots=True)
class Place:
    """A region: its point, where its label goes, its price in ticks and the heat of it."""

    code: str
    x: int
    y: int
    label_y: int
    ticks: int | None
    heat: int


@dataclass(frozen=True, slots=True)
class Line:
    """A bent line from one region to another; ``look`` names its class."""

    path: str
    width: str
    look: str
    origin: str
    region: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything on the map, in the units of its view box."""

    width: int
    height: int
    places: tuple[Place, ...]
    flows: tuple[Line, ...]
    links: tuple[Line, ...]


def draw(
    regions: Iterable[Region], ticks: dict[str, int], flows: list[Flow], links: list[LinkUse]
) -> Drawing:
    """Lay out the map: north is up, and a degree is as long one way as the other."""
    points = _points(list(regions))
    least, most = min(ticks.values(), default=0), max(ticks.values(), default=0)
    places = tuple(
        Place(
            code,
            x,
            y,
            label_y,
            ticks.get(code),
            heat_of(ticks[code], least, most) if code in ticks else -1,
        )
        for code, (x, y, label_y) in _with_labels(points).items()
    )
    greatest = max((flow.lots for flow in flows), default=1)
    drawn_flows = (
        _line(points, (flow.origin, flow.region), weight=flow.lots / greatest, look="flow")
        for flow in flows
    )
    drawn_links = (
        _line(
            points,
            (link.origin, link.region),
            weight=(link.share_micros or 0) / MICROS,
            look=_look(link),
        )
        for link in links
    )
    return Drawing(WIDTH, HEIGHT, places, tuple(drawn_flows), tuple(drawn_links))


def _look(link: LinkUse) -> str:
    return "link-full" if (link.share_micros or 0) >= FULL else "link"


def _points(regions: list[Region]) -> dict[str, tuple[int, int]]:
    if not regions:
        return {}
    middle = sum(row.latitude_micros for row in regions) / len(regions) / MICROS
    flat = cos(radians(middle))
    east = {row.code: row.longitude_micros / MICROS * flat for row in regions}
    north = {row.code: row.latitude_micros / MICROS for row in regions}
    wide = max(east.values()) - min(east.values()) or 1.0
    high = max(north.values()) - min(north.values()) or 1.0
    scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / high)
    left = (WIDTH - wide * scale) / 2
    top = (HEIGHT - high * scale) / 2
    return {
        row.code: (
            round(left + (east[row.code] - min(east.values())) * scale),
            round(top + (max(north.values()) - north[row.code]) * scale),
        )
        for row in regions
    }


def _with_labels(points: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int, int]]:
    """Put each label below its point, or above it where another's is in the way."""
    placed: dict[str, tuple[int, int, int]] = {}
    taken: list[tuple[int, int]] = [(x, y) for x, y in points.values()]
    for code, (x, y) in sorted(points.items(), key=lambda row: row[1][1]):
        tries = (y + 2 * LABEL_GAP, y - LABEL_GAP - 8, y + 3 * LABEL_GAP, y - 2 * LABEL_GAP)
        free = (at for at in tries if not _is_taken(x, at, taken, own=(x, y)))
        label_y = next(free, tries[0])
        taken.append((x, label_y))
        placed[code] = (x, y, label_y)
    return placed


def _is_taken(x: int, y: int, taken: list[tuple[int, int]], *, own: tuple[int, int]) -> bool:
    return any(
        abs(x - other_x) < LABEL_WIDTH and abs(y - other_y) < LABEL_GAP + 6
        for other_x, other_y in taken
        if (other_x, other_y) != own
    )


def _line(
    points: dict[str, tuple[int, int]], ends: tuple[str, str], *, weight: float, look: str
) -> Line:
    origin, region = ends
    (x, y), (to_x, to_y) = points[origin], points[region]
    away = hypot(to_x - x, to_y - y) or 1.0
    side = 1 if look == "flow" else -1
    mid_x = (x + to_x) / 2 - (to_y - y) * BEND * side
    mid_y = (y + to_y) / 2 + (to_x - x) * BEND * side
    # The line ends at the edge of the region's circle, where its arrow is seen.
    bent = hypot(to_x - mid_x, to_y - mid_y) or 1.0
    cut = min(20.0, away / 3)
    end_x, end_y = to_x - (to_x - mid_x) / bent * cut, to_y - (to_y - mid_y) / bent * cut
    path = f"M{x} {y}Q{mid_x:.0f} {mid_y:.0f} {end_x:.0f} {end_y:.0f}"
    return Line(path, f"{1 + weight * (WIDEST - 1):.1f}", look, origin, region)
