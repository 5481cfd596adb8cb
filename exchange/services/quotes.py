"""The lowest limit price at which a bid would be filled whole, if it were alone in the market."""

import numpy as np

from exchange.queries.supply import MICROS, Flags, Ints, Supply, Want

_NEVER = np.int64(1 << 60)  # Above every price, and far from overflow when durations are summed.


def quote_limit(want: Want, supply: Supply, usable: Ints) -> int | None:
    """Return the limit in ticks per unit-hour, or None if no price would do.

    ``usable`` has the lots that the bid may take, shape (offers, periods); what lies outside the
    window is zero in it.
    """
    if not usable.any():
        return None
    if want.kind == "block":
        return _quote_block(want, supply, usable)
    factors = _factors(want, supply)
    price = _unit_price(supply, factors)
    order = np.argsort(price, kind="stable")
    units = (usable * MICROS // np.maximum(factors, 1)[:, None])[order]
    filled = np.minimum(units.cumsum(axis=0), want.quantity_lots)
    if want.kind == "volume":
        return _marginal(np.diff(filled, axis=0, prepend=0).sum(axis=1), price[order], want)
    return _quote_hourly(filled, price[order], want)


def _quote_hourly(filled: Ints, price: Ints, want: Want) -> int | None:
    """Each period is filled on its own: the dearest of them decides."""
    whole: Flags = filled[:, want.first : want.end] >= want.quantity_lots
    if not whole[-1].all():
        return None
    return int(price[whole.argmax(axis=0)].max())


def _marginal(units: Ints, price: Ints, want: Want) -> int | None:
    reached = units.cumsum() >= want.volume_lots
    return int(price[reached.argmax()]) if reached[-1] else None


def _quote_block(want: Want, supply: Supply, usable: Ints) -> int | None:
    best: int | None = None
    for rows, factor in _pairs(want, supply, usable):
        gang = want.gang_lots(factor)
        asks = _gang_asks(usable[rows, want.first : want.end], supply.price_ticks[rows], gang)
        sums = np.convolve(asks, np.ones(want.duration, dtype=np.int64), mode="valid")
        total = int(sums.min(initial=_NEVER))
        if total < _NEVER:
            limit = -(-total * gang // (want.duration * want.quantity_lots))
            best = limit if best is None else min(best, limit)
    return best


def _pairs(want: Want, supply: Supply, usable: Ints) -> list[tuple[Ints, int]]:
    """Return the rows of each (site, accelerator) that could ever hold the gang."""
    rows_of: dict[tuple[str, str], list[int]] = {}
    for row in np.flatnonzero(usable.any(axis=1)):
        rows_of.setdefault((supply.site[row], supply.accelerator[row]), []).append(int(row))
    found = []
    for (_, accelerator), rows in rows_of.items():
        factor = want.factors_micros[accelerator]
        if int(usable[rows].sum(axis=0).max()) >= want.gang_lots(factor):
            found.append((np.array(rows), factor))
    return found


def _gang_asks(lots: Ints, price: Ints, gang: int) -> Ints:
    """Return for each period the ask of the last accelerator that the gang needs."""
    order = np.argsort(price, kind="stable")
    reached = lots[order].cumsum(axis=0) >= gang
    asks = price[order][reached.argmax(axis=0)]
    return np.where(reached[-1], asks, _NEVER)


def _factors(want: Want, supply: Supply) -> Ints:
    found = [want.factors_micros.get(code, 0) for code in supply.accelerator]
    return np.array(found, dtype=np.int64)


def _unit_price(supply: Supply, factors: Ints) -> Ints:
    return -(-supply.price_ticks * factors // MICROS)
