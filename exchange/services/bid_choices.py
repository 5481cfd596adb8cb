"""What a bid accepts to run on: accelerators with factors, or an AI model that fits them."""

from functools import lru_cache
from typing import Final, NamedTuple

from exchange.engine import layout
from exchange.foundation.money import MICROS
from exchange.models import Accelerator, AiModel
from exchange.models.bids import ACCELERATORS_MAX
from exchange.models.chips import DTYPE_BITS
from exchange.queries.catalogue import Catalogue, catalogue_of
from exchange.services.body_fields import TEXT_MAX, Fields, Number
from exchange.services.faults import Faults

FACTOR: Final = Number(MICROS, layout.FACTOR_MICROS_MAX, 1)
CHOICE_FIELDS: Final = frozenset(("accelerator", "factor"))
DTYPES: Final = tuple(DTYPE_BITS)


class Choices(NamedTuple):
    """Acceptable accelerators by code, each with the millionths that do the work of one unit."""

    accelerators: tuple[str, ...]
    factors_micros: tuple[int, ...]
    ai_model_id: int | None
    ai_model_code: str | None
    dtype: str


def read_choices(fields: Fields, catalogue: Catalogue) -> Choices | None:
    """Read ``accelerators``, or ``model`` and ``dtype``; exactly one of the two ways."""
    if fields.is_set("model"):
        if fields.is_set("accelerators"):
            detail = "a bid names accelerators or a model, not both"
            fields.fault("accelerators", "accelerators_beside_model", detail)
        return _read_model(fields, catalogue)
    if fields.is_set("dtype"):
        fields.fault("dtype", "dtype_without_model", "only a model has a dtype")
    return _read_accelerators(fields, catalogue)


def choices_of_model(model: AiModel, dtype: str, catalogue: Catalogue) -> Choices:
    """Return on which tradable accelerators one replica of ``model`` fits, and how many it takes.

    The cheapest in memory come first; those beyond what a bid may name or a factor may be are
    left out.
    """
    needed = {
        chip.code: model.accelerators_needed(chip.memory_gb, dtype=dtype) * MICROS
        for chip in catalogue.accelerators.values()
        if chip.tradable and chip.memory_gb
    }
    usable = sorted((factor, code) for code, factor in needed.items() if factor <= FACTOR.most)
    kept = sorted((code, factor) for factor, code in usable[:ACCELERATORS_MAX])
    codes, factors = tuple(code for code, _ in kept), tuple(factor for _, factor in kept)
    return Choices(codes, factors, model.pk, model.code, dtype)


def _read_model(fields: Fields, catalogue: Catalogue) -> Choices | None:
    code, dtype = fields.text("model"), fields.word("dtype", DTYPES)
    if code is None or dtype is None:
        return None
    model = catalogue.models.get(code)
    if model is None:
        fields.fault("model", "model_unknown", "the catalogue has no such AI model")
        return None
    choices = choices_of_model(model, dtype, catalogue)
    if not choices.accelerators:
        fields.fault("model", "model_fits_nothing", "it fits no accelerator that is traded")
        return None
    return choices


def _read_accelerators(fields: Fields, catalogue: Catalogue) -> Choices | None:
    pairs = _plain_pairs(fields.raw("accelerators"))
    known = _known_choices(catalogue.version, pairs) if pairs else None
    return known or _read_one_by_one(fields, catalogue)


def _plain_pairs(listed: object) -> tuple[tuple[str, str], ...] | None:
    """Return the codes and factors of a list that has nothing else, as one key."""
    if not isinstance(listed, list) or len(listed) > ACCELERATORS_MAX:
        return None
    try:
        pairs = tuple([(choice["accelerator"], choice["factor"]) for choice in listed])
        plain = all(len(choice) == len(CHOICE_FIELDS) for choice in listed)
        texts = all(type(text) is str and len(text) <= TEXT_MAX for pair in pairs for text in pair)
    except (KeyError, TypeError):
        return None
    return pairs if plain and texts else None


@lru_cache(maxsize=4_096)  # The bids of a bulk accept the same few lists.
def _known_choices(version: str, pairs: tuple[tuple[str, str], ...]) -> Choices | None:
    """Return what a list without any fault says; None sends it to the reader that tells faults."""
    body = {"accelerators": [{"accelerator": code, "factor": text} for code, text in pairs]}
    return _read_one_by_one(Fields(body, Faults()), catalogue_of(version))


def _read_one_by_one(fields: Fields, catalogue: Catalogue) -> Choices | None:
    listed = fields.objects("accelerators", CHOICE_FIELDS, most=ACCELERATORS_MAX)
    if listed is None:
        return None
    factors: dict[str, int] = {}
    for choice in listed:
        code, factor = choice.text("accelerator"), choice.decimal("factor", FACTOR)
        if code is None or factor is None or not _is_traded(choice, code, catalogue):
            continue
        if code in factors:
            choice.fault("accelerator", "accelerator_repeated", "the accelerator stands above")
        factors[code] = factor
    if len(factors) != len(listed):
        return None
    return Choices(tuple(factors), tuple(factors.values()), None, None, "")


def _is_traded(choice: Fields, code: str, catalogue: Catalogue) -> bool:
    chip: Accelerator | None = catalogue.accelerators.get(code)
    if chip is None:
        choice.fault("accelerator", "accelerator_unknown", "there is no such accelerator")
        return False
    if not chip.tradable:
        detail = "its figures are unverified, so it is not traded"
        choice.fault("accelerator", "accelerator_not_traded", detail)
        return False
    return True
