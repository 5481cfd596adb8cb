"""What is on offer in the horizon of one auction, as small arrays that a preview can sift."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
    """Offers as rows of arrays of one length; periods of ``period_minutes`` count from 0.

    ``tflops_micros`` is by the accelerator's code, for suggesting another chip.
    """

    periods: int
    period_minutes: int
    site: tuple[str, ...]
    region: tuple[str, ...]
    accelerator: tuple[str, ...]
    renewable_micros: Ints
    first: Ints
    end: Ints
    quantity_lots: Ints
    price_ticks: Ints
    paths: tuple[Path, ...]
    tflops_micros: dict[str, int]

    def grid(self) -> Ints:
        """Return the lots on offer, shape (offers, periods)."""
        period = np.arange(self.periods)
        running = (period >= self.first[:, None]) & (period < self.end[:, None])
        return np.where(running, self.quantity_lots[:, None], 0)


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
