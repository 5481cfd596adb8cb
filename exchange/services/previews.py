"""What would become of a bid: the exact body to post with what it costs, or what stands against it.

A preview writes nothing and promises nothing: it quotes what is on offer as if nobody else bid.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from accounts.models.callers import Caller
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import BidKind
from exchange.queries.bid_terms import BidTerms, unit_lot_minutes
from exchange.queries.supply import Horizon, Supply, Want, supply_over
from exchange.services.bid_changes import Change, nearest_changes
from exchange.services.bid_costs import GreatestCost, greatest_cost
from exchange.services.bid_terms import auction_named_in, read_bid_terms
from exchange.services.faults import Fault, Faults, TermsRefused
from exchange.services.gates import Floor, Gate, look_at_gates
from exchange.services.hindsight import Hindsight, look_back
from exchange.services.screening import Screening, screen
from settlement.models import AccountKind, LedgerAccount

PERIODS_MAX: Final = 31 * 24
MINUTE: Final = timedelta(minutes=1)


class Preview(NamedTuple):
    """The bid as it would be placed, its cost, and how it fares against what is on offer.

    ``changes`` are, field by field, the nearest terms under which it would be served whole, each
    as members of the body to replace. ``hindsight`` is what the last published auction would have
    done with it.
    """

    terms: BidTerms
    cost: GreatestCost
    available_micros: int
    period_minutes: int
    served: bool
    screening: Screening
    changes: tuple[dict[str, Any], ...]
    hindsight: Hindsight | None

    @property
    def covered(self) -> bool:
        """Whether the buyer's money covers the hold."""
        return self.cost.hold_micros <= self.available_micros


def preview_bid(body: object, *, caller: Caller) -> Preview:
    """Check a bid as if it were placed, and screen it against all that is on offer.

    Raises what placing it would raise: TermsRefused, AuctionNotOpen, MarketFrozen; but money that
    is missing is an answer here.
    """
    terms, gate, floor = _read(body)
    horizon = _horizon(terms, gate)
    supply = supply_over(horizon, floor.catalogue)
    want = want_of(terms, horizon)
    screening = screen(want, supply)
    served = screening.serves(want)
    changes = () if served else tuple(_changes(want, supply, horizon))
    cost = greatest_cost(
        price_ticks=terms.limit_ticks,
        unit_lot_minutes=unit_lot_minutes(
            window=terms.ends_at - terms.starts_at,
            quantity_lots=terms.quantity_lots,
            duration_minutes=terms.duration_minutes,
            volume_lot_minutes=terms.volume_lot_minutes,
        ),
        fee_ppm=gate.buyer_fee_ppm,
    )
    available = _available_micros(caller.organization_id)
    minutes = horizon.period_minutes
    return Preview(terms, cost, available, minutes, served, screening, changes, look_back(terms))


def want_of(terms: BidTerms, horizon: Horizon) -> Want:
    """Return the bid in periods of the horizon."""
    minutes = horizon.period_minutes
    return Want(
        kind=terms.kind,
        origin=terms.origin_code,
        quantity_lots=terms.quantity_lots,
        price_ticks=terms.limit_ticks,
        first=(terms.starts_at - horizon.starts_at) // MINUTE // minutes,
        end=(terms.ends_at - horizon.starts_at) // MINUTE // minutes,
        duration=(terms.duration_minutes or 0) // minutes,
        volume_lots=(terms.volume_lot_minutes or 0) // minutes,
        latency_micros_max=terms.latency_micros_max,
        gbps_micros=terms.gbps_micros,
        regions=frozenset(terms.regions),
        renewable_micros_min=terms.renewable_micros_min,
        factors_micros=dict(zip(terms.accelerators, terms.factors_micros, strict=True)),
    )


def _read(body: object) -> tuple[BidTerms, Gate, Floor]:
    named = auction_named_in(body)
    floor = look_at_gates([named] if named else [])
    faults = Faults()
    terms = read_bid_terms(body, floor, faults)
    gate = floor.gates.get(named or "")
    if gate is not None:
        floor.refuse_unless_open(gate)
    if terms is None:
        raise TermsRefused(faults.found)
    halted = floor.halt_of(terms.regions, terms.accelerators)
    if halted is not None:
        raise halted
    found = gate or floor.standing
    assert found is not None, "terms without a gate were refused"
    return terms, found, floor


def _horizon(terms: BidTerms, gate: Gate) -> Horizon:
    """Return the auction's horizon; a standing bid's is its own window."""
    starts_at, ends_at = gate.starts_at, gate.ends_at
    if terms.auction_id is None:
        starts_at, ends_at = terms.starts_at, terms.ends_at
    periods = (ends_at - starts_at) // MINUTE // gate.period_minutes
    if periods > PERIODS_MAX:
        detail = f"a preview looks at no more than {PERIODS_MAX} periods"
        raise TermsRefused([Fault("/ends_at", "preview_too_long", detail)])
    return Horizon(
        starts_at=starts_at,
        period_minutes=gate.period_minutes,
        periods=periods,
        price_cap_ticks=gate.price_cap_ticks,
    )


def _available_micros(organization_id: int) -> int:
    account = LedgerAccount.objects.filter(
        owner_id=organization_id, kind=AccountKind.AVAILABLE
    ).first()
    if account is None:
        return 0
    return account.credits_posted - account.debits_posted - account.debits_pending


def _changes(want: Want, supply: Supply, horizon: Horizon) -> Iterator[dict[str, Any]]:
    for change in nearest_changes(want, supply):
        yield _said(change, want, horizon)


def _said(change: Change, before: Want, horizon: Horizon) -> dict[str, Any]:
    """Return the members of a body that make this change."""
    after, minutes = change.want, horizon.period_minutes
    said: dict[str, Any] = {change.field: _value(change.field, after, horizon)}
    if change.field == "quantity" and before.kind == BidKind.VOLUME:
        said["volume"] = format_scaled(after.volume_lots * minutes // 60, scale=LOTS)
    return said


def _value(field: str, want: Want, horizon: Horizon) -> Any:
    minutes = horizon.period_minutes
    if field in ("starts_at", "ends_at"):
        return _moment(want.first if field == "starts_at" else want.end, horizon).isoformat()
    if field == "regions":
        return sorted(want.regions)
    if field == "accelerators":
        return [
            {"accelerator": code, "factor": format_scaled(factor, scale=MICROS)}
            for code, factor in want.factors_micros.items()
        ]
    number, scale = {
        "limit_price": (want.price_ticks, TICKS),
        "quantity": (want.quantity_lots, LOTS),
        "duration": (want.duration * minutes * LOTS // 60, LOTS),
        "volume": (want.volume_lots * minutes // 60, LOTS),
        "latency_ms_max": (want.latency_micros_max or 0, MICROS),
        "renewable_share_min": (want.renewable_micros_min, MICROS),
        "gbps": (want.gbps_micros, MICROS),
    }[field]
    return format_scaled(number, scale=scale)


def _moment(period: int, horizon: Horizon) -> datetime:
    return horizon.starts_at + timedelta(minutes=period * horizon.period_minutes)
