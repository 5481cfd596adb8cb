"""The platform that the demo plays: its sizes, its hundred providers, and its limits.

Nothing here is a trace. The counts are those of the public reports that the demo stands for: ten
hub clusters, a hundred providers, a thousand buying organizations.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from exchange.management.traces import assumptions as assumed
from exchange.management.traces.drafts import draw
from exchange.management.traces.sources import Node

SAMPLE = Path(__file__).parent / "sample"
SAMPLE_DAY = date(2017, 10, 4)
SEED = 1
SERIES = "demo-day-ahead"
OPERATOR = "Demo operator"
PROVIDER_NAME = "Provider {number:03d}"
BUYER_NAME = "Buyer {number:04d}"
PASSWORD = "a-play-not-a-secret"  # noqa: S105
LOGINS = {
    "operator": "operator@demo.example",
    "provider": "provider@demo.example",
    "buyer": "buyer@demo.example",
    "auditor": "auditor@demo.example",
}
NODES = (("A10", 4), ("A100-SXM4-80GB", 8), ("A10", 2))  # what each provider's site has
DEPOSIT_MICROS = 2_000_000 * 1_000_000
LINK_GBPS = Decimal("0.5")
POWER_OF_POTENTIAL = Decimal("0.5")
MIN_DOMESTIC_SHARE = Decimal("0.7")
BUYER_FEE_PPM = 2_000
SELLER_FEE_PPM = 2_000
PRICE_CAP_TICKS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the play is; the suite's own tests play a small one."""

    providers: int = 100
    buyers: int = 1_000
    jobs: int | None = None  # the first so many of the sample; None: all


USUAL = Size()


def nodes(size: Size) -> Iterator[Node]:
    """Yield the machines of all providers, those of a provider in a row."""
    for provider in range(size.providers):
        for place, (model, gpus) in enumerate(NODES):
            yield Node(provider * len(NODES) + place, model, gpus)


def buyer_of(row: int, size: Size) -> int:
    """Return which buyer places the bid of the job in this row of the sample."""
    return draw("buyer", SEED, row).randrange(size.buyers)


def print_assumptions() -> Iterator[str]:
    """Yield one sentence for everything that is assumed and not read from a trace."""
    yield from assumed.EXPLANATIONS
    yield f"each provider has one site with {len(NODES)} nodes: " + ", ".join(
        f"{gpus} x {model}" for model, gpus in NODES
    )
    yield f"every backbone link carries {LINK_GBPS} Gbps for the market"
    yield f"a region may draw {POWER_OF_POTENTIAL:.0%} of what all its accelerators could"
    yield f"at least {MIN_DOMESTIC_SHARE:.0%} of the PFLOPS-hours run on domestic chips"
