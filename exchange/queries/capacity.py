"""What stands at a site, and what of it is down, contracted, promised and free, over time.

Everything here is a step function: stretches of time with an amount. They change only at edges,
so a few edges describe years.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import numpy as np
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

    def segments(
        self, starts_at: datetime, ends_at: datetime, *, edges: Iterable[datetime] = ()
    ) -> list[Segment]:
        """Return what is the case between two moments, in order, without gaps.

        A segment ends where an amount changes, and at those of ``edges`` that lie between.
        """
        columns = (
            self.standing,
            self.down,
            self.down_whole,
            [stretch for stretches in self.sold.values() for stretch in stretches],
            [left for offer in self.promised for left in self._left(offer)],
        )
        cut = {edge for column in columns for s in column for edge in (s.starts_at, s.ends_at)}
        inner = {edge for edge in (*cut, *edges) if starts_at < edge < ends_at}
        ordered = sorted({starts_at, ends_at} | inner)
        amounts = zip(*(_running(column, ordered) for column in columns), strict=True)
        return [
            Segment(*span, standing, standing if whole else min(standing, down), sold, promised)
            for span, (standing, down, whole, sold, promised) in zip(
                pairwise(ordered), amounts, strict=True
            )
        ]

    def least_free(self, starts_at: datetime, ends_at: datetime) -> Segment:
        """Return the segment in which least is free; the first of equals."""
        return min(self.segments(starts_at, ends_at), key=lambda segment: segment.free)

    def most_sold(self, offer_id: int, starts_at: datetime, ends_at: datetime) -> int:
        """Return the most that an offer has sold at any moment between two."""
        sold = self.sold.get(offer_id, [])
        inner = {s.starts_at for s in sold if starts_at < s.starts_at < ends_at}
        inner |= {s.ends_at for s in sold if starts_at < s.ends_at < ends_at}
        return max(_running(sold, sorted({starts_at, ends_at} | inner)))

    def _left(self, offer_id: int) -> Iterator[Stretch]:
        """Yield what an offer may still sell: the most that it promises, less what it sold."""
        promises, sold = self.promised[offer_id], self.sold.get(offer_id, [])
        if len(promises) == 1 and not sold:
            yield promises[0]
            return
        ordered = sorted({edge for s in (*promises, *sold) for edge in (s.starts_at, s.ends_at)})
        for (first, end), gone in zip(pairwise(ordered), _running(sold, ordered), strict=True):
            said = [s.lots for s in promises if s.starts_at <= first < s.ends_at]
            if max(said, default=0) > gone:
                yield Stretch(first, end, max(said) - gone)


class FreeLots:
    """What is free of one accelerator at one site, while offers take from it one after another."""

    def __init__(self, holdings: Holdings, spans: Iterable[tuple[datetime, datetime]]) -> None:
        """Prepare for offers over ``spans``, of which there is at least one."""
        edges = sorted({edge for span in spans for edge in span})
        found = holdings.segments(edges[0], edges[-1], edges=edges)
        self._starts = [segment.starts_at for segment in found]
        self._free = np.array([segment.free for segment in found], dtype=np.int64)

    def take(self, starts_at: datetime, ends_at: datetime, lots: int) -> Stretch | None:
        """Take so much, and return None; or take nothing, and return where there is less."""
        first, end = bisect_left(self._starts, starts_at), bisect_left(self._starts, ends_at)
        within = self._free[first:end]
        least = int(within.argmin())
        if lots > within[least]:
            return Stretch(self._starts[first + least], ends_at, max(0, int(within[least])))
        within -= lots
        return None


def _running(stretches: Iterable[Stretch], edges: list[datetime]) -> list[int]:
    """Return the sum of the stretches between each two neighbours of ``edges``, their cuts."""
    changes = [0] * len(edges)
    for stretch in stretches:
        starts_at = max(stretch.starts_at, edges[0])
        ends_at = min(stretch.ends_at, edges[-1])
        if starts_at < ends_at:
            changes[bisect_left(edges, starts_at)] += stretch.lots
            changes[bisect_left(edges, ends_at)] -= stretch.lots
    return list(accumulate(changes))[:-1]


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
        offer__resale=None,  # that is capacity which was sold before
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
        resale=None,
        state=OfferState.ACTIVE,
        terms__starts_at__lt=ends_at,
        terms__ends_at__gt=starts_at,
    ).values_list(
        *("site_id", "accelerator_id", "pk"),
        *("terms__starts_at", "terms__ends_at", "terms__quantity_lots"),
    )
    entered = OfferEntry.objects.filter(
        version__offer__site__in=sites,
        version__offer__resale=None,
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
