"""What part of the market a reader looks at: which auction, accelerator, region and hour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.web.zones import instant_words
from exchange.models import Auction, ClearingResult
from exchange.queries.catalogue import catalogue_now
from exchange.queries.indices import RegionIndex, region_indices
from exchange.queries.publications import public_result, published_auctions

AUCTIONS_SHOWN = 60
ASKED = ("auction", "accelerator", "region", "period")
Choices = list[tuple[str, str]]


class SightForm(forms.Form):
    """Which auction, accelerator, region and hour to show; a page takes the fields it needs."""

    auction = forms.ChoiceField(label=_("Delivery"))
    accelerator = forms.ChoiceField(label=_("Accelerator"))
    region = forms.ChoiceField(label=_("Region"))
    period = forms.ChoiceField(label=_("Hour"))

    def __init__(self, asked: dict[str, str], choices: dict[str, Choices]) -> None:
        super().__init__(asked, auto_id="id_%s")
        for name in list(self.fields):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.required = False  # what is not chosen is the first there is
            if name in choices:
                field.choices = choices[name]
            else:
                del self.fields[name]


@dataclass(frozen=True, slots=True)
class Sight:
    """A published auction and what of it is shown."""

    auction: Auction
    form: SightForm
    indices: tuple[RegionIndex, ...]

    @property
    def is_valid(self) -> bool:
        """Whether what was asked for is there."""
        return self.form.is_valid()

    def chosen(self, name: str) -> str:
        """Return what was asked for, or else the first that there is to choose."""
        return str(self.form.cleaned_data[name])


def asked_of(request: HttpRequest) -> tuple[str, ...]:
    """Return what a reader asks for, as the key of a page."""
    return tuple(request.GET.get(name, "")[:80] for name in ASKED)


def sight_of(wanted: Mapping[str, Any], *needed: str, every_hour: bool = False) -> Sight | None:
    """Return what to show; None before the first publication. Raises Http404: no such auction.

    ``every_hour`` offers all hours of the delivery together as the first choice.
    """
    latest = list(published_auctions()[:AUCTIONS_SHOWN])
    auction = _auction_of(wanted.get("auction") or "", latest)
    if auction is None:
        return None
    indices = region_indices(auction)
    choices: dict[str, Choices] = {"auction": _auctions(auction, latest)}
    if "accelerator" in needed:
        choices["accelerator"] = _most_traded(
            (i.accelerator, i.accelerator_name, i) for i in indices
        )
    if "region" in needed:
        names = region_names()
        choices["region"] = _most_traded(
            (i.region, names.get(i.region, i.region), i) for i in indices
        )
    if "period" in needed:
        choices["period"] = ([("", str(_("all hours")))] if every_hour else []) + _hours(auction)
    first = {name: listed[0][0] if listed else "" for name, listed in choices.items()}
    first["auction"] = auction.public_id
    asked = {name: wanted.get(name) or first[name] for name in choices}
    return Sight(auction, SightForm(asked, choices), indices)


def result_or_404(public_id: str) -> ClearingResult:
    """Return the result of a published auction. Raises Http404."""
    result = public_result(public_id)
    if result is None:
        raise Http404
    return result


def region_names() -> dict[str, str]:
    """Return the names of all regions by code, in the reader's language."""
    chinese = (get_language() or "").startswith("zh")
    regions = catalogue_now().regions.values()
    return {row.code: (chinese and row.name_zh) or row.name for row in regions}


def _auction_of(asked: str, latest: list[Auction]) -> Auction | None:
    if not asked:
        return latest[0] if latest else None
    found = next((row for row in latest if row.public_id == asked), None)
    found = found or published_auctions().filter(public_id=asked).first()
    if found is None:
        raise Http404
    return found


def _auctions(auction: Auction, latest: list[Auction]) -> Choices:
    shown = latest if auction in latest else [auction, *latest]
    return [(row.public_id, f"{instant_words(row.starts_at)} · {row.series.name}") for row in shown]


def _most_traded(rows: Iterable[tuple[str, str, RegionIndex]]) -> Choices:
    """List codes with their names, the most traded first, then by name."""
    names: dict[str, str] = {}
    lots: dict[str, int] = {}
    for code, name, index in rows:
        names[code] = name
        lots[code] = lots.get(code, 0) + index.lot_periods
    return sorted(names.items(), key=lambda row: (-lots[row[0]], row[1]))


def _hours(auction: Auction) -> Choices:
    starts: list[Any] = [auction.period(number).start for number in range(auction.periods)]
    return [(str(number), instant_words(at, "%m-%d %H:%M")) for number, at in enumerate(starts)]
