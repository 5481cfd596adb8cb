"""The nearest change to a bid that would let it be served, one field at a time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from exchange.queries.supply import LOTS, UNLIMITED, Supply, Want
from exchange.services.screening import screen


@dataclass(frozen=True, slots=True)
class Change:
    """``field`` of the bid, and the wish that would do instead, all else as it was."""

    field: str
    want: Want


def nearest_changes(want: Want, supply: Supply) -> Iterator[Change]:
    """Yield for each field the smallest change that alone lets the bid be served whole."""
    for field, candidates in _CANDIDATES.items():
        found = candidates(want, supply)
        if found is not None:
            yield Change(field, found)


def _price(want: Want, supply: Supply) -> Want | None:
    limit = screen(want, supply).limit_ticks
    return None if limit is None else replace(want, price_ticks=limit)


def _quantity(want: Want, supply: Supply) -> Want | None:
    """The most that could be had; a volume shrinks with the rate at which it is run."""
    step = LOTS if want.kind == "block" else 1
    wishes = _Steps(want.quantity_lots // step - 1, lambda less: _at_rate(want, less * step))
    return wishes.last_served(supply)


def _at_rate(want: Want, lots: int) -> Want:
    volume = min(want.volume_lots, lots * (want.end - want.first))
    return replace(want, quantity_lots=lots, volume_lots=volume)


def _duration(want: Want, supply: Supply) -> Want | None:
    if want.kind != "block":
        return None
    wishes = _Steps(want.duration - 1, lambda shorter: replace(want, duration=shorter))
    return wishes.last_served(supply)


def _volume(want: Want, supply: Supply) -> Want | None:
    if want.kind != "volume":
        return None
    wishes = _Steps(want.volume_lots - 1, lambda less: replace(want, volume_lots=less))
    return wishes.last_served(supply)


def _later_end(want: Want, supply: Supply) -> Want | None:
    if want.kind == "hourly":  # A longer window asks for more, not for less.
        return None
    ends = range(want.end + 1, supply.periods + 1)
    return _first_served((replace(want, end=end) for end in ends), supply)


def _earlier_start(want: Want, supply: Supply) -> Want | None:
    if want.kind == "hourly":
        return None
    starts = range(want.first - 1, -1, -1)
    return _first_served((replace(want, first=first) for first in starts), supply)


def _latency(want: Want, supply: Supply) -> Want | None:
    bound = want.latency_micros_max
    if bound is None:
        return None
    longer = {
        path.latency_micros
        for path in supply.paths
        if path.origin == want.origin and path.latency_micros > bound
    }
    return _first_served((replace(want, latency_micros_max=ms) for ms in sorted(longer)), supply)


def _renewable(want: Want, supply: Supply) -> Want | None:
    least = want.renewable_micros_min
    lower = {int(share) for share in supply.renewable_micros if share < least}
    wishes = (replace(want, renewable_micros_min=share) for share in sorted(lower, reverse=True))
    return _first_served(wishes, supply)


def _bandwidth(want: Want, supply: Supply) -> Want | None:
    """The widest need per accelerator that the routes from here could carry."""
    if not want.gbps_micros:
        return None
    least = _gang(want) if want.kind == "block" else 1
    narrow = {
        path.gbps_micros * LOTS // least
        for path in supply.paths
        if want.may_take(path) and path.gbps_micros != UNLIMITED
    }
    less = sorted((gbps for gbps in narrow | {0} if gbps < want.gbps_micros), reverse=True)
    return _first_served((replace(want, gbps_micros=gbps) for gbps in less), supply)


def _gang(want: Want) -> int:
    return max(want.gang_lots(factor) for factor in want.factors_micros.values())


def _region(want: Want, supply: Supply) -> Want | None:
    """One more region: the cheapest that would do."""
    if not want.regions:
        return None
    others = sorted(set(supply.region) - want.regions)
    return _cheapest((replace(want, regions=want.regions | {code}) for code in others), supply)


def _accelerator(want: Want, supply: Supply) -> Want | None:
    """One more chip, its factor by FP16 work: the cheapest that would do."""
    known = [code for code in want.factors_micros if supply.tflops_micros.get(code)]
    if not known:
        return None
    work = min(want.factors_micros[code] * supply.tflops_micros[code] for code in known)
    others = sorted(set(supply.accelerator) - set(want.factors_micros))
    wishes = [
        replace(want, factors_micros=want.factors_micros | {code: -(-work // tflops)})
        for code in others
        if (tflops := supply.tflops_micros.get(code, 0))
    ]
    return _cheapest(wishes, supply)


_CANDIDATES: dict[str, Callable[[Want, Supply], Want | None]] = {
    "limit_price": _price,
    "quantity": _quantity,
    "duration": _duration,
    "volume": _volume,
    "ends_at": _later_end,
    "starts_at": _earlier_start,
    "latency_ms_max": _latency,
    "renewable_share_min": _renewable,
    "gbps": _bandwidth,
    "regions": _region,
    "accelerators": _accelerator,
}


def _first_served(wishes: Iterable[Want], supply: Supply) -> Want | None:
    return next((wish for wish in wishes if screen(wish, supply).serves(wish)), None)


def _cheapest(wishes: Iterable[Want], supply: Supply) -> Want | None:
    quoted = [(screen(wish, supply), wish) for wish in wishes]
    served = [
        (shown.limit_ticks or 0, row, wish)
        for row, (shown, wish) in enumerate(quoted)
        if shown.serves(wish)
    ]
    return min(served)[2] if served else None


@dataclass(frozen=True, slots=True)
class _Steps:
    """Wishes numbered from 1 to ``most``, each harder to serve than the one before."""

    most: int
    wish: Callable[[int], Want]

    def last_served(self, supply: Supply) -> Want | None:
        """Return the hardest wish that is served, by halving."""
        served, refused = 0, self.most + 1
        while refused - served > 1:
            middle = (served + refused) // 2
            wish = self.wish(middle)
            if screen(wish, supply).serves(wish):
                served = middle
            else:
                refused = middle
        return self.wish(served) if served else None
