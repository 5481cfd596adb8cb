"""What no trace says and the simulation assumes beside the importer: every figure, named."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from exchange.management.traces import assumptions as traced

ADEQUACY: Final = 0.8  # accelerator-hours offered, of those that the jobs would take
SITE_SPREAD: Final = 2.0  # of a size's logarithm: few campuses, many small halls
GPUS_TODAY: Final = 16  # what one GPU of a job of 2017 stands for
BIG_CHIP, SMALL_CHIP = "a100-sxm4-80gb", "a10-24gb"
MODEL_OF: Final = {BIG_CHIP: "A100-SXM4-80GB", SMALL_CHIP: "A10"}
LINK_SHARE: Final = 0.03  # of what all jobs of a mean hour would send
LINK_GBPS_MIN: Final = Decimal("0.1")
POWER: Final = Decimal("0.8")  # of what all accelerators of a region could draw

# Limits of the three rules, against the list price of the chip that is wanted first.
LOGNORMAL_MEDIAN, LOGNORMAL_SPREAD = 0.6, 0.6
URGENT, PER_HOUR_WAITED, PATIENT_LEAST, URGENCY_NOISE = 1.1, 0.75, 0.25, 0.25
SIZE_AT_ONE, PER_DOUBLING, SIZE_NOISE = 0.35, 1.18, 0.25


def explanations(sites: int, jobs: int, adequacy: float) -> Iterator[str]:
    """Yield one sentence for everything that is assumed and not read from a trace."""
    for sentence in traced.EXPLANATIONS:
        if not sentence.startswith(_REPLACED):
            yield sentence
    yield (
        f"{jobs:,} jobs of a trace's day, drawn with replacement, each from a province by its "
        f"product; one GPU of the trace stands for {GPUS_TODAY}; buyers come in the order in "
        "which their windows begin"
    )
    yield (
        f"{sites:,} sites by the weights of `provinces`, each with a rack of two chips; sizes "
        f"log-normal with a spread of {SITE_SPREAD}, at least one of either chip; all "
        f"together offer {adequacy:.0%} of what the "
        f"jobs would take; {traced.DOMESTIC_SHARE_OF_PROVIDERS:.0%} of them run domestic chips and "
        "ask the same per TFLOPS"
    )
    yield (
        f"every backbone link carries {LINK_SHARE:.0%} of the bandwidth that all jobs of a mean "
        f"hour want; a region may draw {POWER:.0%} of what its accelerators could"
    )
    yield (
        f"rule `lognormal`: limits are log-normal around {LOGNORMAL_MEDIAN} of the list price, "
        f"with a spread of {LOGNORMAL_SPREAD}, whatever the job"
    )
    yield (
        f"rule `urgency`: {URGENT} of the list price for who cannot wait, times {PER_HOUR_WAITED} "
        f"for each hour it could, not below {PATIENT_LEAST}; noise of {URGENCY_NOISE}"
    )
    yield (
        f"rule `size`: {SIZE_AT_ONE} of the list price for one GPU, times {PER_DOUBLING} for each "
        f"doubling; noise of {SIZE_NOISE}"
    )
    yield (
        "posted prices: the asks of the auction are the prices; jobs come one after another and "
        "start as early as they can at the nearest place that is free and within their limit"
    )


_REPLACED: Final = (
    "jobs come from the six",
    f"{traced.ELASTIC_SHARE:.0%} of the gangs also",
    f"{traced.NODES_PER_PROVIDER} nodes in a row",
    f"{traced.BEST_EFFORT_SHARE:.0%} of the jobs are best effort",
)
