"""A bid as a question to a published auction, and the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exchange.engine.book import LOTS_PER_UNIT, MICROS, UNLIMITED, BidKind


class Outcome(StrEnum):
    """What would have become of a bid."""

    FILLED = "filled"
    PARTLY_FILLED = "partly_filled"  # as far as its limit and the capacity went
    SOLD_OUT = "sold_out"  # its limit met the price, but others were ready to pay more
    OUTBID = "outbid"  # the price was above its limit
    UNREACHABLE = "unreachable"  # nothing that it accepts was offered


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A bid as a question, by names, which the auction may not know.

    Units as in ``Bids``; the window is ``[first, end)`` in the auction's periods. No regions: any.
    """

    kind: BidKind
    origin: str
    quantity_lots: int
    price_ticks: int
    first: int
    end: int
    factors_micros: Mapping[str, int]
    duration: int = 0
    volume_lots: int = 0
    latency_micros_max: int = UNLIMITED
    gbps_micros: int = 0
    regions: frozenset[str] = field(default_factory=frozenset)
    renewable_micros_min: int = 0

    @property
    def wanted_lots(self) -> int:
        """What it asks for, in lots of units times periods."""
        if self.kind == BidKind.BLOCK:
            return self.quantity_lots * self.duration
        if self.kind == BidKind.VOLUME:
            return self.volume_lots
        return self.quantity_lots * (self.end - self.first)

    def gang_lots(self, factor_micros: int) -> int:
        """The accelerators that it takes at a time, in lots; a block takes whole ones."""
        if self.kind != BidKind.BLOCK:
            return -(-self.quantity_lots * factor_micros // MICROS)
        return -(-self.quantity_lots * factor_micros // (LOTS_PER_UNIT * MICROS)) * LOTS_PER_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a part of it would have run: within ``[first, end)``, not all of it if it pauses.

    ``unit_lots`` are lots of units times periods; ``unit_cost`` is the cost of a unit-hour in
    micro-ticks, delivery paid, rounded up.
    """

    site: str
    accelerator: str
    route: str
    first: int
    end: int
    unit_lots: int
    unit_cost: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What would have become of a bid.

    ``cheapest`` is the least cost of a unit-hour at the published prices; ``average`` what a
    unit-hour of what is filled would have cost, and if it ``moves_prices``, at most (micro-ticks,
    rounded up); ``needed_ticks`` the lowest limit at which all of it would have been carried; None
    if no limit is known to do.
    """

    outcome: Outcome
    wanted_lots: int
    filled_lots: int = 0
    moves_prices: bool = False
    cheapest: int | None = None
    average: int | None = None
    needed_ticks: int | None = None
    placements: tuple[Placement, ...] = ()
