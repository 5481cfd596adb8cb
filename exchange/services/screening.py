"""Why a bid can or cannot be served: which of its own rules excluded how much capacity.

The rules are applied one after another, so each is charged with what the ones before it left.
What remains is quoted as if nobody else were bidding: a preview promises nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from exchange.queries.supply import LOTS, MICROS, UNLIMITED, Flags, Ints, Supply, Want
from exchange.services.quotes import quote_limit


@dataclass(frozen=True, slots=True)
class Sieve:
    """One rule: the capacity that it excluded and that it left, in lot-periods."""

    constraint: str
    excluded: int
    left: int


@dataclass(frozen=True, slots=True)
class Screening:
    """All rules in order, and the lowest limit that fills the bid whole (None: no price does)."""

    sieves: tuple[Sieve, ...]
    limit_ticks: int | None

    def serves(self, want: Want) -> bool:
        """Return whether the bid's own limit would do."""
        return self.limit_ticks is not None and self.limit_ticks <= want.price_ticks

    @property
    def decisive(self) -> str:
        """The rule that left nothing, else the price: what stands between bid and capacity."""
        return next((sieve.constraint for sieve in self.sieves if not sieve.left), "quantity")


def screen(want: Want, supply: Supply) -> Screening:
    """Apply the bid's rules one after another to everything on offer."""
    lots = supply.lots
    sieves = []
    for constraint, rule in _RULES:
        kept = np.where(rule(want, supply, lots), lots, 0)
        sieves.append(Sieve(constraint, int(lots.sum() - kept.sum()), int(kept.sum())))
        lots = kept
    limit = quote_limit(want, supply, lots)
    affordable = np.where(_is_affordable(want, supply)[:, None], lots, 0)
    sieves.append(Sieve("limit_price", int(lots.sum() - affordable.sum()), int(affordable.sum())))
    return Screening(tuple(sieves), limit)


def _is_accelerator(want: Want, supply: Supply, lots: Ints) -> Flags:
    return _flags(code in want.factors_micros for code in supply.accelerator)


def _is_region(want: Want, supply: Supply, lots: Ints) -> Flags:
    return _flags(not want.regions or region in want.regions for region in supply.region)


def _is_near(want: Want, supply: Supply, lots: Ints) -> Flags:
    near = {path.region for path in supply.paths if want.may_take(path)}
    return _flags(region in near for region in supply.region)


def _is_renewable(want: Want, supply: Supply, lots: Ints) -> Flags:
    return _flags(supply.renewable_micros >= want.renewable_micros_min)


def _is_in_window(want: Want, supply: Supply, lots: Ints) -> Flags:
    period = np.arange(supply.periods)
    within: Flags = (period >= want.first) & (period < want.end)
    return within[None, :]


def _has_bandwidth(want: Want, supply: Supply, lots: Ints) -> Flags:
    widest: dict[str, int] = {}
    for path in supply.paths:
        if want.may_take(path):
            gbps = 1 << 62 if path.gbps_micros == UNLIMITED else path.gbps_micros
            widest[path.region] = max(widest.get(path.region, 0), gbps)
    return _flags(
        widest[region] * LOTS >= want.gbps_micros * _least_lots(want, accelerator)
        if region in widest
        else False
        for region, accelerator in zip(supply.region, supply.accelerator, strict=True)
    )


def _fits_gang(want: Want, supply: Supply, lots: Ints) -> Flags:
    """Keep the periods in which a whole gang runs without a gap on one site and accelerator."""
    if want.kind != "block":
        return np.ones((1, 1), dtype=np.bool_)
    pair_of: dict[tuple[str, str], int] = {}
    places = zip(supply.site, supply.accelerator, strict=True)
    pair = np.array([pair_of.setdefault(place, len(pair_of)) for place in places], dtype=np.int64)
    totals = np.zeros((len(pair_of), supply.periods), dtype=np.int64)
    np.add.at(totals, pair, lots)
    gangs = [want.gang_lots(want.factors_micros.get(chip, 0)) or LOTS for _, chip in pair_of]
    return _long_runs(totals >= np.array(gangs, dtype=np.int64)[:, None], want.duration)[pair]


def _long_runs(able: Flags, duration: int) -> Flags:
    """Keep the true cells that stand in a run of at least ``duration`` along the second axis."""
    kept = np.zeros_like(able)
    for start in range(able.shape[1] - duration + 1):
        run: Flags = np.asarray(able[:, start : start + duration].all(axis=1))
        kept[:, start : start + duration] |= run[:, None]
    return kept


_RULES: tuple[tuple[str, Callable[[Want, Supply, Ints], Flags]], ...] = (
    ("accelerators", _is_accelerator),
    ("regions", _is_region),
    ("latency_ms_max", _is_near),
    ("renewable_share_min", _is_renewable),
    ("window", _is_in_window),
    ("gbps", _has_bandwidth),
    ("site_size", _fits_gang),
)


def _is_affordable(want: Want, supply: Supply) -> Flags:
    """Flag the offers whose ask is within the limit, by the accelerators that a unit takes."""
    return np.array(
        [
            ask * factor <= want.price_ticks * MICROS
            for ask, factor in zip(
                supply.price_ticks.tolist(),
                (_effective_factor(want, chip) for chip in supply.accelerator),
                strict=True,
            )
        ],
        dtype=np.bool_,
    )


def _effective_factor(want: Want, accelerator: str) -> int:
    """Return the accelerators that a unit takes, in millionths; a gang is rounded up to whole."""
    factor = want.factors_micros.get(accelerator, 0)
    if want.kind != "block":
        return factor
    return -(-want.gang_lots(factor) * MICROS // want.quantity_lots)


def _least_lots(want: Want, accelerator: str) -> int:
    """Return the least that must run at once: a whole gang, else a single lot."""
    if want.kind != "block":
        return 1
    return want.gang_lots(want.factors_micros.get(accelerator, 0))


def _flags(values: Iterable[bool]) -> Flags:
    return np.fromiter(values, dtype=np.bool_)[:, None]
