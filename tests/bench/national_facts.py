"""What a national day is made of: the hubs, the chips, the kinds of work, and how scarce all is.

Real: where the hubs are, what the chips do and draw. Assumed, each a constant here: who buys where
and when, what work there is and which chips do it, values and asks, how scarce capacity, links and
power are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PERIODS: Final = 24
TENTH: Final = 100  # lots; hourly bids ask for tenths of an accelerator


@dataclass(frozen=True, slots=True)
class Hub:
    """A region: where it is, its share of the buyers and of the machines, and its asks."""

    name: str
    north: float
    east: float
    pue: float
    buyers: float
    machines: float
    ask: float
    power: float | None = None  # the budget as a share of what its machines can draw


HUBS: Final = (
    Hub("zhangjiakou", 40.78, 114.87, 1.25, 0.20, 0.12, 1.00),
    Hub("yrd-demo", 31.15, 121.11, 1.25, 0.25, 0.07, 1.05),
    Hub("wuhu", 31.35, 118.43, 1.25, 0.06, 0.06, 1.02),
    Hub("shaoguan", 24.80, 113.58, 1.25, 0.22, 0.08, 1.03),
    Hub("tianfu", 30.57, 103.92, 1.25, 0.09, 0.05, 0.95),
    Hub("chongqing", 29.78, 106.50, 1.25, 0.06, 0.05, 0.95),
    Hub("guian", 26.58, 106.67, 1.20, 0.04, 0.15, 0.85, 0.38),
    Hub("horinger", 40.81, 111.65, 1.20, 0.03, 0.18, 0.82, 0.32),
    Hub("qingyang", 35.71, 107.64, 1.20, 0.02, 0.11, 0.84),
    Hub("zhongwei", 37.51, 105.19, 1.20, 0.03, 0.13, 0.80, 0.48),
)
WEST: Final = ("guian", "horinger", "qingyang", "zhongwei")


@dataclass(frozen=True, slots=True)
class Chip:
    """An accelerator, and what an hour of it is usually sold for."""

    name: str
    domestic: bool
    tflops: float
    watts: float
    price: float


CHIPS: Final = (
    Chip("a10-24gb", False, 125, 150, 3.6),
    Chip("a100-sxm4-80gb", False, 312, 400, 9.5),
    Chip("h20-96gb", False, 148, 550, 8.0),
    Chip("l20-48gb", False, 119, 275, 4.4),
    Chip("ascend-310p-duo", True, 140, 150, 4.4),
    Chip("ascend-910b3", True, 313, 350, 11.0),
    Chip("bi-v100", True, 147, 300, 5.2),
    Chip("mlu370-x8", True, 96, 250, 3.6),
)


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work: the chips that do it (how many for one unit), and how it is bought.

    ``near`` is how often a bid is bound to 5 ms, to 10 ms, and not at all.
    """

    weight: float
    factors: Mapping[str, float]
    near: tuple[float, float, float]
    gbps: tuple[float, ...]


CHAT: Final = Work(
    0.22,
    {"a10-24gb": 1, "l20-48gb": 0.9, "ascend-310p-duo": 1, "mlu370-x8": 1.4},
    (0.4, 0.4, 0.2),
    (0.01,),
)
VISION: Final = Work(0.14, {"a10-24gb": 1, "ascend-310p-duo": 0.8}, (0.6, 0.3, 0.1), (0.05, 0.1))
LARGE: Final = Work(
    0.22,
    {"h20-96gb": 1, "a100-sxm4-80gb": 0.8, "ascend-910b3": 0.9},
    (0.2, 0.5, 0.3),
    (0.01, 0.02),
)
TUNING: Final = Work(
    0.14,
    {"a100-sxm4-80gb": 1, "ascend-910b3": 1.1, "bi-v100": 2.4},
    (0.0, 0.2, 0.8),
    (0.1,),
)
BATCH: Final = Work(
    0.16,
    {"l20-48gb": 1, "bi-v100": 0.9, "mlu370-x8": 1.3, "a10-24gb": 1.1},
    (0.0, 0.1, 0.9),
    (0.005, 0.02),
)
BOUND_TO_ONE: Final = Work(0.06, {"a100-sxm4-80gb": 1}, (0.0, 0.3, 0.7), (0.05,))
DOMESTIC: Final = Work(0.06, {"ascend-910b3": 1, "mlu370-x8": 3.2}, (0.1, 0.3, 0.6), (0.01,))
WORKS: Final = (CHAT, VISION, LARGE, TUNING, BATCH, BOUND_TO_ONE, DOMESTIC)
PLAIN_WORK: Final = Work(1.0, {"a100-sxm4-80gb": 1}, (0.3, 0.3, 0.4), (0.01,))
TRAINING: Final = (TUNING, BOUND_TO_ONE, DOMESTIC)

HOURS: Final = (4, 3, 2, 2, 2, 2, 3, 5, 8, 10, 11, 11, 9, 9, 11, 11, 11, 10, 9, 9, 9, 8, 7, 5)
LENGTHS: Final = ((1, 0.72), (2, 0.1), (3, 0.05), (4, 0.04), (8, 0.06), (24, 0.03))
SLACKS: Final = ((0, 0.36), (1, 0.24), (2, 0.22), (5, 0.1), (12, 0.05), (23, 0.03))
VALUE_SPREAD: Final = 0.35
BOUND_TO_REGIONS: Final = 0.06
GREEN: Final = 0.06
GREEN_FLOORS: Final = (0.5, 0.7)
ALTERNATIVES: Final = 0.03  # of the blocks: half as many accelerators for twice as long
ADEQUACY: Final = 0.8  # machines against the mean demand for them
LINK_SHARE: Final = 0.1  # of the bandwidth that its region's buyers could use
MIN_DOMESTIC_SHARE: Final = "0.55"
SITES_PER_REGION: Final = 10
CHIPS_PER_SITE: Final = 4
STEPS: Final = 8  # offers per site and chip
BACKBONE: Final = 3  # links of a hub to its nearest


@dataclass(frozen=True, slots=True)
class Size:
    """How many orders of each kind; ``plain``: one chip, a site a region, nothing limited."""

    hourly: int
    blocks: int = 10_000
    volumes: int = 2_000
    plain: bool = False
    seed: int = 1

    @property
    def works(self) -> tuple[Work, ...]:
        """The kinds of work there are."""
        return (PLAIN_WORK,) if self.plain else WORKS

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The chips there are."""
        return tuple(
            chip for chip in CHIPS if any(chip.name in work.factors for work in self.works)
        )
