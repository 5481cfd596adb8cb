"""What is free, offered and contracted at a provider's sites, hour by hour of one day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.models import SiteCapacity
from exchange.queries.capacity import Holdings, Segment, holdings_at

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CapacityHour:
    """One hour at its tightest moment; all amounts in lots."""

    starts_at: datetime
    segment: Segment

    @property
    def heat(self) -> str:
        """Which fifth of what stands there is free: 0 to 4, or none where nothing is."""
        if not self.segment.free:
            return "none"
        return str(min(4, self.segment.free * 5 // max(1, self.segment.standing)))


@dataclass(frozen=True, slots=True)
class CapacityBoard:
    """One accelerator at one site; codes as in the catalogue."""

    site: str
    accelerator: str
    hours: tuple[CapacityHour, ...]


def capacity_boards(
    capacities: Iterable[SiteCapacity], starts_at: datetime, *, hours: int
) -> list[CapacityBoard]:
    """Return a board for each (site, accelerator) of ``capacities``, by their codes."""
    places = {
        (row.site_id, row.accelerator_id): (row.site.code, row.accelerator.code)
        for row in capacities
    }
    holdings = holdings_at(places, starts_at, starts_at + hours * HOUR)
    boards = (
        CapacityBoard(site, chip, tuple(_hours(holdings[place], starts_at, hours)))
        for place, (site, chip) in places.items()
    )
    return sorted(boards, key=lambda board: (board.site, board.accelerator))


def _hours(holdings: Holdings, starts_at: datetime, hours: int) -> Iterable[CapacityHour]:
    for number in range(hours):
        first = starts_at + number * HOUR
        yield CapacityHour(first, holdings.least_free(first, first + HOUR))
