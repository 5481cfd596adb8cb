"""What it costs to run an AI model: where it fits, at the prices that were published last."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from exchange.models import Accelerator, AiModel
from exchange.queries.indices import RegionIndex

GFLOPS_PER_PFLOPS = 1_000_000
MICROS_PER_TICK = 1_000
FLOP_A_PFLOPS_HOUR = 3_600 * 10**15
TOKEN_MODALITIES = ("text", "vision-language", "embedding")
TOKENS = 1_000_000
FLOP_A_PARAMETER = 2  # a multiplication and an addition for each active parameter and token


@dataclass(frozen=True, slots=True)
class ModelPlace:
    """One accelerator in one region that runs a replica, ``needed`` accelerators of it.

    ``hour_ticks`` is the price of a replica-hour, ``work_ticks`` that of a PFLOPS-hour (FP16,
    dense) of those accelerators. ``is_traded`` tells a price of trades from the lowest ask.
    """

    accelerator: str
    accelerator_name: str
    region: str
    needed: int
    hour_ticks: int
    work_ticks: int
    is_traded: bool


def model_places(
    needed: dict[str, int], chips: dict[str, Accelerator], indices: Iterable[RegionIndex]
) -> list[ModelPlace]:
    """Return where a model can run, the cheapest replica-hour first.

    ``needed`` is how many of an accelerator hold one replica, by code.
    """
    found = [
        _place(index, needed[index.accelerator], chips[index.accelerator])
        for index in indices
        if index.accelerator in needed
    ]
    return sorted(found, key=lambda place: (place.hour_ticks, place.accelerator, place.region))


def tokens_micros(model: AiModel, work_ticks: int) -> int | None:
    """Return what a million tokens cost if PFLOPS-hours at this price were used to the full.

    A floor, not a forecast: two operations for each active parameter and token, and no chip idle.
    None for models that do not go by tokens.
    """
    if model.modality not in TOKEN_MODALITIES:
        return None
    flop = FLOP_A_PARAMETER * (model.params_active or model.params_total) * TOKENS
    return round(Fraction(work_ticks * MICROS_PER_TICK * flop, FLOP_A_PFLOPS_HOUR))


def _place(index: RegionIndex, needed: int, chip: Accelerator) -> ModelPlace:
    assert chip.tflops_micros, "only chips with figures are traded"
    ticks = index.least_ticks if index.index_ticks is None else index.index_ticks
    gflops = chip.tflops_micros // 1_000
    return ModelPlace(
        accelerator=index.accelerator,
        accelerator_name=index.accelerator_name,
        region=index.region,
        needed=needed,
        hour_ticks=ticks * needed,
        work_ticks=round(ticks * GFLOPS_PER_PFLOPS / gflops),
        is_traded=index.index_ticks is not None,
    )
