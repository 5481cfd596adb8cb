"""Read the body of a bid and check it against the rules of the book that it would enter.

One reader for every door: a single bid, a bulk of a thousand, and a preview. It computes in whole
numbers only and asks the database for nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from exchange.engine import layout
from exchange.foundation.money import LOTS, MICROS, TICKS, WHOLE_MAX, format_scaled
from exchange.models import BidKind, TimeInForce
from exchange.models.bids import REGIONS_MAX
from exchange.queries.bid_terms import BidTerms, unit_lot_minutes
from exchange.queries.catalogue import Catalogue
from exchange.services.bid_choices import Choices, read_choices
from exchange.services.bid_costs import greatest_cost
from exchange.services.body_fields import Fields, Number
from exchange.services.faults import Faults
from exchange.services.gates import Floor, Gate

MINUTE: Final = timedelta(minutes=1)
HOUR_MINUTES: Final = 60
DURATION_HOURS_MAX: Final = 24 * 366
VOLUME_HOURS_LOTS_MAX: Final = 10**15

LABEL_MAX: Final = 120
QUANTITY: Final = Number(LOTS, layout.QUANTITY_LOTS_MAX, 1, "off_lot")
PRICE: Final = Number(TICKS, layout.LIMIT_TICKS_MAX, 0, "off_tick")
DURATION: Final = Number(HOUR_MINUTES, DURATION_HOURS_MAX * HOUR_MINUTES, 1, "off_minute")
VOLUME: Final = Number(LOTS, VOLUME_HOURS_LOTS_MAX, 1, "off_lot")
LATENCY: Final = Number(MICROS, layout.LATENCY_MICROS_MAX)
GBPS: Final = Number(MICROS, layout.GBPS_MICROS_MAX)
SHARE: Final = Number(MICROS, MICROS)

# Plain texts: to look up a member of an enumeration takes longer than to compare two texts.
BLOCK: Final = str(BidKind.BLOCK)
VOLUME_BID: Final = str(BidKind.VOLUME)
STANDING: Final = str(TimeInForce.STANDING)
KINDS: Final = tuple(BidKind.values)
LIVES: Final = tuple(TimeInForce.values)
FIELDS: Final = frozenset(
    (
        *("auction", "kind", "time_in_force", "origin", "starts_at", "ends_at", "quantity"),
        *("limit_price", "duration", "volume", "group", "latency_ms_max", "gbps"),
        *("renewable_share_min", "regions", "accelerators", "model", "dtype", "project", "label"),
    )
)


class _Shape(NamedTuple):
    """How much, for how long, at which limit."""

    starts_at: datetime
    ends_at: datetime
    quantity_lots: int
    limit_ticks: int
    duration_minutes: int | None
    volume_lot_minutes: int | None


class _Bounds(NamedTuple):
    """Where it may run."""

    latency_micros_max: int | None
    gbps_micros: int
    renewable_micros_min: int
    regions: tuple[str, ...]


def auction_named_in(body: object) -> str | None:
    """Return the text in the place of the auction's id, before anything is checked."""
    named = body.get("auction") if isinstance(body, Mapping) else None
    return named if isinstance(named, str) else None


def read_bid_terms(
    body: object, floor: Floor, faults: Faults, pointer: str = ""
) -> BidTerms | None:
    """Return the terms in ``body``, or None with every fault noted under ``pointer``."""
    if not isinstance(body, Mapping):
        faults.add(pointer, "body_not_object", "a bid is a JSON object")
        return None
    count = len(faults.found)
    terms = _read(Fields(body, faults, pointer), floor)
    return terms if len(faults.found) == count else None


def _read(fields: Fields, floor: Floor) -> BidTerms | None:
    catalogue = floor.catalogue
    fields.refuse_unknown(FIELDS)
    kind = fields.word("kind", KINDS)
    life = fields.word("time_in_force", LIVES)
    gate = _read_gate(fields, floor, life)
    origin = _read_region(fields, catalogue)
    shape = _read_shape(fields, kind, gate)
    group = _read_group(fields, kind)
    bounds = _read_bounds(fields, catalogue)
    choices = read_choices(fields, catalogue)
    project = fields.text("project", needed=False) or ""
    label = fields.words("label", most=LABEL_MAX)
    if not (kind and life and gate and origin and shape and bounds and choices):
        return None
    _refuse_above_cap(fields, shape, choices, gate)
    cost = greatest_cost(
        price_ticks=shape.limit_ticks,
        unit_lot_minutes=unit_lot_minutes(
            window=shape.ends_at - shape.starts_at,
            quantity_lots=shape.quantity_lots,
            duration_minutes=shape.duration_minutes,
            volume_lot_minutes=shape.volume_lot_minutes,
        ),
        fee_ppm=gate.buyer_fee_ppm,
    )
    if cost.hold_micros > WHOLE_MAX:
        fields.fault("limit_price", "cost_too_large", "price x quantity x hours is too large")
    return BidTerms(
        kind,
        life,
        gate.id,
        gate.public_id,
        gate.currency,
        origin[0],
        origin[1],
        *shape,
        group,
        *bounds,
        choices.accelerators,
        choices.factors_micros,
        choices.ai_model_id,
        choices.ai_model_code,
        choices.dtype,
        project,
        label,
        cost.hold_micros,
    )


def _read_gate(fields: Fields, floor: Floor, life: str | None) -> Gate | None:
    if life == STANDING:
        if fields.is_set("auction"):
            fields.fault("auction", "auction_on_standing", "a standing bid names no auction")
        if floor.standing is None:
            fields.fault("time_in_force", "nothing_to_stand_for", "no series of auctions is held")
        return floor.standing
    named = fields.text("auction", needed=life is not None)
    if named is None:
        return None
    gate = floor.gates.get(named)
    if gate is None:
        fields.fault("auction", "auction_unknown", "there is no such auction")
    return gate


def _read_region(fields: Fields, catalogue: Catalogue) -> tuple[int, str] | None:
    code = fields.text("origin")
    if code is None:
        return None
    region = catalogue.regions.get(code)
    if region is None:
        fields.fault("origin", "origin_unknown", "there is no such region")
        return None
    return region.pk, code


def _read_shape(fields: Fields, kind: str | None, gate: Gate | None) -> _Shape | None:
    quantity = fields.decimal("quantity", QUANTITY)
    limit = fields.decimal("limit_price", PRICE)
    window = _read_window(fields, gate)
    duration = _read_own(fields, "duration", DURATION, is_own=_is_kind(kind, BLOCK))
    volume = _read_own(fields, "volume", VOLUME, is_own=_is_kind(kind, VOLUME_BID))
    if quantity is None or limit is None or window is None or gate is None:
        return None
    minutes = (window[1] - window[0]) // MINUTE
    if kind == BLOCK:
        if quantity % LOTS:
            fields.fault("quantity", "quantity_not_whole", "a block asks for whole units")
        _check_duration(fields, duration, minutes, gate)
    if volume is not None:
        volume *= HOUR_MINUTES
        _check_volume(fields, volume, quantity * minutes, gate)
    return _Shape(*window, quantity, limit, duration, volume)


def _is_kind(kind: str | None, own: str) -> bool | None:
    """Return whether the bid is of this kind; None where its kind could not be read."""
    return None if kind is None else kind == own


def _read_own(fields: Fields, name: str, number: Number, *, is_own: bool | None) -> int | None:
    """Read a field that one kind of bid must have and the others may not."""
    if is_own is False:
        if fields.is_set(name):
            owner = "a block" if name == "duration" else "a volume bid"
            fields.fault(name, f"{name}_not_allowed", f"only {owner} has a {name}")
        return None
    return fields.decimal(name, number, needed=bool(is_own))


def _read_window(fields: Fields, gate: Gate | None) -> tuple[datetime, datetime] | None:
    starts_at, ends_at = fields.instant("starts_at"), fields.instant("ends_at")
    if starts_at is None or ends_at is None:
        return None
    if starts_at >= ends_at:
        fields.fault("ends_at", "window_empty", "the window ends before it begins")
    elif gate is not None:
        for name, code, detail in _horizon_faults(gate, starts_at, ends_at):
            fields.fault(name, code, detail)
    return starts_at, ends_at


@lru_cache(maxsize=4_096)  # The bids of a bulk share a few windows.
def _horizon_faults(
    gate: Gate, starts_at: datetime, ends_at: datetime
) -> tuple[tuple[str, str, str], ...]:
    step = timedelta(minutes=gate.period_minutes)
    found = []
    for name, at in (("starts_at", starts_at), ("ends_at", ends_at)):
        if not gate.starts_at <= at <= gate.ends_at:
            detail = f"the horizon is {gate.starts_at.isoformat()} to {gate.ends_at.isoformat()}"
            found.append((name, f"{name}_outside_horizon", detail))
        elif (at - gate.starts_at) % step:
            detail = f"periods of {gate.period_minutes} minutes start with the horizon"
            found.append((name, f"{name}_off_period", detail))
    return tuple(found)


def _check_duration(fields: Fields, duration: int | None, window: int, gate: Gate) -> None:
    if duration is None:
        return
    if duration % gate.period_minutes:
        detail = f"a whole number of periods of {gate.period_minutes} minutes"
        fields.fault("duration", "duration_off_period", detail)
    elif duration > window:
        fields.fault("duration", "duration_exceeds_window", "longer than the window")


def _check_volume(fields: Fields, lot_minutes: int, most: int, gate: Gate) -> None:
    if lot_minutes > most:
        fields.fault("volume", "volume_exceeds_window", "more than quantity x window")
    elif lot_minutes % gate.period_minutes:
        detail = f"no whole number of lots in periods of {gate.period_minutes} minutes"
        fields.fault("volume", "volume_off_period", detail)


def _read_group(fields: Fields, kind: str | None) -> str:
    group = fields.text("group", needed=False)
    if group and kind not in (None, BLOCK):
        fields.fault("group", "group_not_allowed", "only blocks are alternatives of one another")
    return group or ""


def _read_bounds(fields: Fields, catalogue: Catalogue) -> _Bounds | None:
    latency = fields.decimal("latency_ms_max", LATENCY, needed=False)
    gbps = fields.decimal("gbps", GBPS, needed=False)
    share = fields.decimal("renewable_share_min", SHARE, needed=False)
    regions = fields.names("regions", most=REGIONS_MAX)
    for number, code in enumerate(regions):
        if code not in catalogue.regions:
            fields.fault(f"regions/{number}", "region_unknown", "there is no such region")
        elif code in regions[:number]:
            fields.fault(f"regions/{number}", "region_listed_twice", "the region stands above")
    return _Bounds(latency, gbps or 0, share or 0, regions)


def _refuse_above_cap(fields: Fields, shape: _Shape, choices: Choices, gate: Gate) -> None:
    """Refuse a limit that no price could reach: the book knows none above its cap."""
    least = min(choices.factors_micros)
    if shape.limit_ticks * MICROS > gate.price_cap_ticks * least:
        most = format_scaled(gate.price_cap_ticks * least // MICROS, scale=TICKS)
        fields.fault("limit_price", "limit_price_above_cap", f"at most {most}: cap x factor")
