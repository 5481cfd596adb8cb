"""What is on offer in a horizon, as small arrays that a preview can sift.

Offers stand by their current terms, less what they sold in auctions that were published.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from exchange.models import AuctionState, Offer, OfferFill, OfferState
from exchange.queries.catalogue import Catalogue
from exchange.queries.occupancy import busiest, whole_periods

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MICROS: Final = 1_000_000
LOTS: Final = 1_000
UNLIMITED: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One route; ``gbps_micros`` is that of its narrowest link, ``UNLIMITED`` if none has any."""

    origin: str
    region: str
    latency_micros: int
    gbps_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Offers as rows of arrays of one length; ``lots`` has shape (offers, periods).

    Periods of ``period_minutes`` count from 0. ``tflops_micros`` is by the accelerator's code, for
    suggesting another chip.
    """

    periods: int
    period_minutes: int
    site: tuple[str, ...]
    region: tuple[str, ...]
    accelerator: tuple[str, ...]
    renewable_micros: Ints
    lots: Ints
    price_ticks: Ints
    paths: tuple[Path, ...]
    tflops_micros: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A bid as the screening needs it; the window is ``[first, end)``, ``volume_lots`` and
    ``duration`` are in periods. ``factors_micros`` is by the accelerator's code.
    """

    kind: str
    origin: str
    quantity_lots: int
    price_ticks: int
    first: int
    end: int
    duration: int
    volume_lots: int
    latency_micros_max: int | None
    gbps_micros: int
    regions: frozenset[str]
    renewable_micros_min: int
    factors_micros: dict[str, int]

    def gang_lots(self, factor_micros: int) -> int:
        """Return the lots of accelerators that a block takes: whole accelerators, rounded up."""
        return -(-self.quantity_lots * factor_micros // (MICROS * LOTS)) * LOTS

    def may_take(self, path: Path) -> bool:
        """Return whether the bid may run over ``path``: from its origin, and near enough."""
        bound = self.latency_micros_max
        return path.origin == self.origin and (bound is None or path.latency_micros <= bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """The periods that a preview looks at, and the highest ask that can enter a book there."""

    starts_at: datetime
    period_minutes: int
    periods: int
    price_cap_ticks: int

    @property
    def ends_at(self) -> datetime:
        """The end of the last period."""
        return self.starts_at + timedelta(minutes=self.period_minutes * self.periods)


def supply_over(horizon: Horizon, catalogue: Catalogue) -> Supply:
    """Return what active offers have left to sell in the horizon."""
    offers = list(_running(horizon))
    start, size = horizon.starts_at, {"periods": horizon.periods, "minutes": horizon.period_minutes}
    lots = np.array([offer.terms.quantity_lots for offer in offers if offer.terms], dtype=np.int64)
    first, end = whole_periods(
        _minutes([offer.terms.starts_at for offer in offers if offer.terms], start),
        _minutes([offer.terms.ends_at for offer in offers if offer.terms], start),
        **size,
    )
    period = np.arange(horizon.periods)
    running = (period >= first[:, None]) & (period < end[:, None])
    left = np.maximum(lots[:, None] - _sold(offers, horizon), 0)
    return Supply(
        periods=horizon.periods,
        period_minutes=horizon.period_minutes,
        site=tuple(offer.site.code for offer in offers),
        region=tuple(offer.site.region.code for offer in offers),
        accelerator=tuple(offer.accelerator.code for offer in offers),
        renewable_micros=np.array([o.site.renewable_micros for o in offers], dtype=np.int64),
        lots=np.where(running, left, 0),
        price_ticks=np.array([o.terms.price_ticks for o in offers if o.terms], dtype=np.int64),
        paths=_paths(catalogue),
        tflops_micros={
            chip.code: chip.tflops_micros
            for chip in catalogue.accelerators.values()
            if chip.tradable and chip.tflops_micros
        },
    )


def _running(horizon: Horizon) -> "QuerySet[Offer]":
    return (
        Offer.objects.of_sites()
        .with_terms()
        .filter(
            state=OfferState.ACTIVE,
            accelerator__tradable=True,
            terms__starts_at__lt=horizon.ends_at,
            terms__ends_at__gt=horizon.starts_at,
            terms__price_ticks__lte=horizon.price_cap_ticks,
        )
    )


def _sold(offers: list[Offer], horizon: Horizon) -> Ints:
    row_of = {offer.pk: row for row, offer in enumerate(offers)}
    fills = OfferFill.objects.filter(
        offer__in=row_of,
        auction__state=AuctionState.PUBLISHED,
        starts_at__lt=horizon.ends_at,
        ends_at__gt=horizon.starts_at,
    ).values_list("offer_id", "starts_at", "ends_at", "quantity_lots")
    columns = list(zip(*fills, strict=True)) or [(), (), (), ()]
    span = tuple(_minutes(list(column), horizon.starts_at) for column in columns[1:3])
    return busiest(
        np.array([row_of[offer] for offer in columns[0]], dtype=np.int64),
        (span[0], span[1]),
        np.array(columns[3], dtype=np.int64),
        rows=len(offers),
        periods=horizon.periods,
        minutes=horizon.period_minutes,
    )


def _minutes(moments: list[datetime], start: datetime) -> Ints:
    minute = timedelta(minutes=1)
    return np.array([(moment - start) // minute for moment in moments], dtype=np.int64)


def _paths(catalogue: Catalogue) -> tuple[Path, ...]:
    """Return the routes, each as wide as the narrowest of its links that has a limit."""
    found = []
    for route in catalogue.routes:
        limits = [catalogue.links[code].gbps_micros for code in route.links]
        known = [limit for limit in limits if limit is not None]
        found.append(
            Path(
                origin=route.origin.code,
                region=route.region.code,
                latency_micros=route.latency_micros,
                gbps_micros=min(known, default=UNLIMITED),
            )
        )
    return tuple(found)
