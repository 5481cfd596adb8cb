"""What stands at a site, and what of it is down, contracted, promised and free, over time.

Everything here is a step function: stretches of time with an amount. They change only at edges,
so a few edges describe years.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple

from django.db.models import Q

from accounts.models.callers import Caller
from exchange.models import (
    Accelerator,
    AuctionState,
    MaintenanceWindow,
    Offer,
    OfferEntry,
    OfferFill,
    OfferState,
    Site,
    SiteCapacity,
)

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
SELLING: Final = [AuctionState.CLEARED, AuctionState.PUBLISHED]
Place = tuple[int, int]  # the numbers of a site and of an accelerator


class Stretch(NamedTuple):
    """So many lots from one moment until just before another."""

    starts_at: datetime
    ends_at: datetime
    lots: int


class Segment(NamedTuple):
    """A stretch in which nothing changes: what stands, is down, contracted, promised, in lots.

    ``promised`` counts what active offers may still sell, ``contracted`` what they and others
    have sold.
    """

    starts_at: datetime
    ends_at: datetime
    standing: int
    down: int
    contracted: int
    promised: int

    @property
    def free(self) -> int:
        """What may still be promised; never below none."""
        return max(0, self.standing - self.down - self.contracted - self.promised)


@dataclass(slots=True)
class Holdings:
    """All stretches that concern one accelerator at one site; offers by their numbers."""

    standing: list[Stretch] = field(default_factory=list)
    down: list[Stretch] = field(default_factory=list)
    down_whole: list[Stretch] = field(default_factory=list)
    sold: dict[int, list[Stretch]] = field(default_factory=lambda: defaultdict(list))
    promised: dict[int, list[Stretch]] = field(default_factory=lambda: defaultdict(list))

    def segments(self, starts_at: datetime, ends_at: datetime) -> list[Segment]:
        """Return what is the case between two moments, in order, without gaps."""
        edges = {starts_at, ends_at} | {
            edge
            for stretch in self._all()
            for edge in (stretch.starts_at, stretch.ends_at)
            if starts_at < edge < ends_at
        }
        ordered = sorted(edges)
        return [self._segment(first, end) for first, end in pairwise(ordered)]

    def least_free(self, starts_at: datetime, ends_at: datetime) -> Segment:
        """Return the segment in which least is free; the first of equals."""
        return min(self.segments(starts_at, ends_at), key=lambda segment: segment.free)

    def most_sold(self, offer_id: int, starts_at: datetime, ends_at: datetime) -> int:
        """Return the most that an offer has sold at any moment between two."""
        within = [s for s in self.sold.get(offer_id, []) if s.starts_at < ends_at]
        starts = {max(starts_at, stretch.starts_at) for stretch in within} or {starts_at}
        return max(_at(within, moment) for moment in starts)

    def _all(self) -> Iterable[Stretch]:
        yield from (*self.standing, *self.down, *self.down_whole)
        for stretches in (*self.sold.values(), *self.promised.values()):
            yield from stretches

    def _segment(self, first: datetime, end: datetime) -> Segment:
        standing = _at(self.standing, first)
        down = standing if _at(self.down_whole, first) else min(standing, _at(self.down, first))
        sold = {offer: _at(stretches, first) for offer, stretches in self.sold.items()}
        promised = sum(
            max(0, max(s.lots for s in running) - sold.get(offer, 0))
            for offer, stretches in self.promised.items()
            if (running := [s for s in stretches if s.starts_at <= first < s.ends_at])
        )
        return Segment(first, end, standing, down, sum(sold.values()), promised)


def _at(stretches: Iterable[Stretch], moment: datetime) -> int:
    return sum(s.lots for s in stretches if s.starts_at <= moment < s.ends_at)


def holdings_at(
    places: Iterable[Place],
    starts_at: datetime,
    ends_at: datetime,
    *,
    but_for: int | None = None,
) -> Mapping[Place, Holdings]:
    """Return what is known of ``places`` between two moments, in five queries however many.

    The promise of the offer numbered ``but_for`` is left out; what it sold stays.
    """
    found = {place: Holdings() for place in places}
    sites = {site for site, _ in found}
    _add_standing(found, sites, starts_at, ends_at)
    _add_down(found, sites, starts_at, ends_at)
    _add_sold(found, sites, starts_at, ends_at)
    _add_promised(found, sites, starts_at, ends_at)
    for holdings in found.values():
        holdings.promised.pop(but_for or 0, None)
    return found


Found = dict[Place, Holdings]


def _add_standing(found: Found, sites: set[int], starts_at: datetime, ends_at: datetime) -> None:
    rows = SiteCapacity.objects.filter(site__in=sites, starts_at__lt=ends_at)
    for row in rows.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at)):
        if holdings := found.get((row.site_id, row.accelerator_id)):
            stretch = Stretch(row.starts_at, row.ends_at or FOREVER, row.quantity_lots)
            holdings.standing.append(stretch)


def _add_down(found: Found, sites: set[int], starts_at: datetime, ends_at: datetime) -> None:
    rows = MaintenanceWindow.objects.filter(
        site__in=sites, starts_at__lt=ends_at, ends_at__gt=starts_at, cancelled_at__isnull=True
    )
    for row in rows:
        for (site, chip), holdings in found.items():
            if site == row.site_id and row.accelerator_id in (None, chip):
                stretch = Stretch(row.starts_at, row.ends_at, row.quantity_lots or 1)
                (holdings.down if row.quantity_lots else holdings.down_whole).append(stretch)


def _add_sold(found: Found, sites: set[int], starts_at: datetime, ends_at: datetime) -> None:
    rows = OfferFill.objects.filter(
        offer__site__in=sites,
        auction__state__in=SELLING,
        starts_at__lt=ends_at,
        ends_at__gt=starts_at,
    ).values_list(
        *("offer__site_id", "offer__accelerator_id", "offer_id"),
        *("starts_at", "ends_at", "quantity_lots"),
    )
    for site, chip, offer, *stretch in rows:
        if holdings := found.get((site, chip)):
            holdings.sold[offer].append(Stretch(*stretch))


def _add_promised(found: Found, sites: set[int], starts_at: datetime, ends_at: datetime) -> None:
    """Add the terms of active offers, and those in books whose gate has closed undecided."""
    active = Offer.objects.filter(
        site__in=sites,
        state=OfferState.ACTIVE,
        terms__starts_at__lt=ends_at,
        terms__ends_at__gt=starts_at,
    ).values_list(
        *("site_id", "accelerator_id", "pk"),
        *("terms__starts_at", "terms__ends_at", "terms__quantity_lots"),
    )
    entered = OfferEntry.objects.filter(
        version__offer__site__in=sites,
        auction__state=AuctionState.CLOSED,
        auction__starts_at__lt=ends_at,
        auction__ends_at__gt=starts_at,
    ).values_list(
        *("version__offer__site_id", "version__offer__accelerator_id", "version__offer_id"),
        *("auction__starts_at", "auction__ends_at", "version__quantity_lots"),
    )
    for site, chip, offer, *stretch in (*active, *entered):
        if holdings := found.get((site, chip)):
            holdings.promised[offer].append(Stretch(*stretch))


class PlaceCapacity(NamedTuple):
    """What one accelerator at one site has, over time."""

    site: Site
    accelerator: Accelerator
    segments: list[Segment]


def capacity_of(
    caller: Caller, starts_at: datetime, ends_at: datetime, *, site_code: str = ""
) -> list[PlaceCapacity]:
    """Return what stands, is down, sold, promised and free at the sites that the caller may see.

    One row for each (site, accelerator) at which something stands in that time.
    """
    standing = SiteCapacity.objects.visible_to(caller).filter(starts_at__lt=ends_at)
    rows = standing.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at))
    if site_code:
        rows = rows.filter(site__code=site_code)
    named = rows.select_related("site__region", "accelerator")
    found = {(row.site_id, row.accelerator_id): (row.site, row.accelerator) for row in named}
    holdings = holdings_at(found, starts_at, ends_at)
    cells = [
        PlaceCapacity(site, chip, holdings[place].segments(starts_at, ends_at))
        for place, (site, chip) in found.items()
    ]
    return sorted(cells, key=lambda cell: (cell.site.code, cell.accelerator.code))
