"""The open AI models: where each can run, at which price, and a bid that begins with it."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from exchange.foundation.money import MICROS
from exchange.models import AiModel
from exchange.models.chips import DTYPE_BITS, DTYPE_DEFAULT, MODALITIES, SERVING_OVERHEAD_PERCENT
from exchange.portal.market.kept import kept_page
from exchange.portal.market.sights import region_names
from exchange.queries.catalogue import Catalogue, catalogue_now
from exchange.queries.indices import RegionIndex, region_indices
from exchange.queries.model_prices import (
    TOKEN_MODALITIES,
    ModelPlace,
    model_places,
    tokens_micros,
)
from exchange.queries.publications import published_auctions
from exchange.services.bid_choices import choices_of_model

KINDS = {
    "text": _("text"),
    "vision-language": _("vision and language"),
    "embedding": _("embedding"),
    "video": _("video"),
    "image": _("image"),
    "speech": _("speech"),
}


@require_safe
def market_models(request: HttpRequest) -> HttpResponseBase:
    """List the models, each with the cheapest place for a replica."""
    asked = request.GET.get("modality", "")[:40]

    def context() -> tuple[dict[str, Any], bool]:
        catalogue, indices = catalogue_now(), _latest_indices()
        rows = [
            (model, next(iter(_places(model, DTYPE_DEFAULT, catalogue, indices)), None))
            for model in sorted(catalogue.models.values(), key=lambda model: model.name)
            if asked in ("", model.modality)
        ]
        shown = {"rows": rows, "kinds": KINDS, "asked": asked, "names": region_names()}
        return shown, asked in ("", *MODALITIES)

    return kept_page(
        request,
        "exchange/market/models.html",
        title=_("AI models"),
        asked=(asked,),
        context=context,
        live=True,
    )


@require_safe
def market_model(request: HttpRequest, code: str) -> HttpResponseBase:
    """Show one model: where a replica can run now, in the number format that is asked for."""
    model = catalogue_now().models.get(code)
    if model is None:
        raise Http404
    asked = request.GET.get("dtype", DTYPE_DEFAULT)[:8]
    dtype = asked if asked in DTYPE_BITS else DTYPE_DEFAULT

    def context() -> tuple[dict[str, Any], bool]:
        catalogue = catalogue_now()
        places = _places(model, dtype, catalogue, _latest_indices())
        shown = {
            "model": model,
            "kind": KINDS.get(model.modality, model.modality),
            "places": [(place, tokens_micros(model, place.work_ticks)) for place in places],
            "by_token": model.modality in TOKEN_MODALITIES,
            "dtypes": list(DTYPE_BITS),
            "dtype": dtype,
            "weight_gb": model.weight_bytes(dtype=dtype) / 2**30,
            "overhead": SERVING_OVERHEAD_PERCENT - 100,
            "auction": published_auctions().first(),
            "names": region_names(),
        }
        return shown, asked == dtype

    return kept_page(
        request,
        "exchange/market/model.html",
        title=model.name,
        asked=(code, dtype),
        context=context,
        live=True,
    )


def _latest_indices() -> tuple[RegionIndex, ...]:
    auction = published_auctions().first()
    return () if auction is None else region_indices(auction)


def _places(
    model: AiModel, dtype: str, catalogue: Catalogue, indices: tuple[RegionIndex, ...]
) -> list[ModelPlace]:
    choices = choices_of_model(model, dtype, catalogue)
    pairs = zip(choices.accelerators, choices.factors_micros, strict=True)
    needed = {code: factor // MICROS for code, factor in pairs}
    return model_places(needed, catalogue.accelerators, indices)
