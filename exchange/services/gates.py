"""The gate of an auction, held open while an order goes through it.

Bidders share the lock on the auction's row, so none waits for another; the guarded UPDATE that
closes the auction waits for all of them, and whoever comes after it finds it closed.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from exchange.models import AuctionState
from exchange.queries.catalogue import Catalogue, catalogue_of

_OPEN: Final = str(AuctionState.OPEN)  # a plain text: it is compared for every bid
STANDING_DAYS_MAX: Final = 366
STANDING_PERIOD_MINUTES: Final = 60

_FLOOR = """
    SELECT market_now() AS now, (SELECT version::text FROM catalogue_version) AS version,
           (SELECT json_agg(json_build_array(halt.series_id, region.code, chip.code, reason))
            FROM exchange_marketfreeze AS halt
            LEFT JOIN exchange_region AS region ON region.id = halt.region_id
            LEFT JOIN exchange_accelerator AS chip ON chip.id = halt.accelerator_id
            WHERE lifted_at IS NULL) AS halts,
           min(price_cap_ticks) AS cap, max(buyer_fee_ppm) AS fee, min(currency) AS currency,
           EXISTS (SELECT FROM exchange_positionlimit WHERE organization_id = %s) AS limited
    FROM exchange_auctionseries WHERE active
"""
# One statement tells all that a bid is checked against. Raw, because Django has no FOR SHARE.
_AUCTIONS = f"""
    SELECT floor.*, auction.id, public_id, state, closes_at, starts_at, ends_at, period_minutes,
           auction.currency, price_cap_ticks, buyer_fee_ppm, series_id
    FROM ({_FLOOR}) AS floor CROSS JOIN exchange_auction AS auction
    WHERE public_id = ANY(%s) ORDER BY auction.id
"""  # noqa: S608 - our own words
_SHARED = f"{_AUCTIONS} FOR SHARE OF auction"
_FLOOR_COLUMNS = 7


class AuctionNotOpen(Exception):
    """The auction takes no orders now: its book is not open yet, or its gate has closed."""


class PartHalted(AuctionNotOpen):
    """An operator has halted the auctions, regions or accelerators that the order needs."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part} is halted: {reason}")
        self.reason = reason


class MarketFrozen(Exception):
    """An operator has halted the market; no order is taken until the halt is lifted."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the market is halted: {reason}")
        self.reason = reason


class Halt(NamedTuple):
    """A halt of a part of the market: one of the three is set; none for the whole."""

    series_id: int | None
    region: str | None
    accelerator: str | None
    reason: str

    @property
    def is_of_all(self) -> bool:
        """Whether the whole market is halted."""
        return self[:3] == (None, None, None)


class Gate(NamedTuple):
    """The rules that a bid must keep to enter one auction (or, standing, any that comes)."""

    id: int | None
    public_id: str | None
    state: str
    closes_at: datetime
    starts_at: datetime
    ends_at: datetime
    period_minutes: int
    currency: str
    price_cap_ticks: int
    buyer_fee_ppm: int
    series_id: int | None


class Floor(NamedTuple):
    """The market as an order finds it: the time, the catalogue, and the gates that it names.

    ``limited``: the bidder's positions are limited (one look-up less for all others). ``halts``
    are of parts of it, and empty for whoever only lets orders go.
    """

    now: datetime
    catalogue: Catalogue
    gates: dict[str, Gate]
    standing: Gate | None
    limited: bool
    halts: tuple[Halt, ...] = ()

    def is_open(self, gate: Gate) -> bool:
        """Return whether the gate takes orders now, by the market's clock."""
        open_now = gate.state == _OPEN and self.now < gate.closes_at
        return open_now and self._halt_of_series(gate) is None

    def halt_of(self, regions: Collection[str], accelerators: Collection[str]) -> PartHalted | None:
        """Return the refusal of a bid that may run in halted parts alone; None if it may not.

        Without ``regions`` a bid may run anywhere.
        """
        for named, what in ((regions, "region"), (accelerators, "accelerator")):
            halted = {getattr(halt, what): halt.reason for halt in self.halts}
            if named and all(code in halted for code in named):
                first = next(iter(named))
                return PartHalted(f"{what} {first}", halted[first])
        return None

    def _halt_of_series(self, gate: Gate) -> Halt | None:
        of_series = (halt for halt in self.halts if halt.series_id is not None)
        return next((halt for halt in of_series if halt.series_id == gate.series_id), None)

    def refusal_of(self, gate: Gate) -> AuctionNotOpen:
        """Return the refusal of an order that found this gate closed."""
        halt = self._halt_of_series(gate)
        if halt is not None:
            return PartHalted(f"the series of auction {gate.public_id}", halt.reason)
        word = "closed" if gate.state == _OPEN else gate.state
        return AuctionNotOpen(f"auction {gate.public_id} is {word}; it takes no orders")

    def refuse_unless_open(self, gate: Gate) -> None:
        """Raise AuctionNotOpen unless the gate is open."""
        if not self.is_open(gate):
            raise self.refusal_of(gate)


def hold_gates(
    auction_ids: Collection[str], *, bidder: int | None = None, even_frozen: bool = False
) -> Floor:
    """Return the market's floor for a bidding organization.

    The lock on the named auctions is shared until the end of the database transaction that the
    caller has open. Raises MarketFrozen, unless told otherwise: a halt takes no orders, but lets
    them go.
    """
    assert connection.in_atomic_block, "a lock outlives its statement only in a transaction"
    return _read_floor(_SHARED, auction_ids, bidder, even_frozen=even_frozen)


def look_at_gates(auction_ids: Collection[str]) -> Floor:
    """Return the market's floor without locking anything. Raises MarketFrozen."""
    return _read_floor(_AUCTIONS, auction_ids, None)


def _read_floor(
    query: str, auction_ids: Collection[str], bidder: int | None, *, even_frozen: bool = False
) -> Floor:
    rows = []
    with connection.cursor() as cursor:
        if auction_ids:
            cursor.execute(query, [bidder, list(auction_ids)])
            rows = cursor.fetchall()
        if not rows:  # a standing bid, or an auction that there is not
            cursor.execute(_FLOOR, [bidder])
            rows = [cursor.fetchone()]
    now, version, told, cap, fee, currency, limited = rows[0][:_FLOOR_COLUMNS]
    found = [Gate(*row[_FLOOR_COLUMNS:]) for row in rows if len(row) > _FLOOR_COLUMNS]
    gates = {str(gate.public_id): gate for gate in found}
    halts = () if even_frozen or not told else tuple(Halt(*halt) for halt in told)
    for halt in halts:
        if halt.is_of_all:
            raise MarketFrozen(halt.reason)
    standing = None if cap is None else _standing(now, cap, fee, currency)
    return Floor(now, catalogue_of(version), gates, standing, limited, halts)


def _standing(now: datetime, cap: int, fee: int, currency: str) -> Gate:
    """Return rules that hold in every series: the lowest cap, the highest fee, whole hours."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Gate(
        id=None,
        public_id=None,
        state=_OPEN,
        closes_at=now,
        starts_at=hour,
        ends_at=hour + timedelta(days=STANDING_DAYS_MAX),
        period_minutes=STANDING_PERIOD_MINUTES,
        currency=currency,
        price_cap_ticks=cap,
        buyer_fee_ppm=fee,
        series_id=None,
    )
