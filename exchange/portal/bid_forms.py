"""A bid in the words of a job: what runs, how many, how long, by when, where, for how much."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.web.form_fields import InstantField, ScaledField, control_time
from accounts.web.portal import caller_of
from accounts.web.zones import instant_words
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled
from exchange.models import Auction, AuctionSeries, BidKind
from exchange.models.auctions import PPM
from exchange.models.chips import DTYPE_BITS, DTYPE_DEFAULT
from exchange.portal.bid_words import KINDS
from exchange.portal.market.sights import region_names
from exchange.queries.catalogue import Catalogue, catalogue_now
from settlement.models import Project

STANDING = "standing"
SHORT = "%m-%d %H:%M"
LABEL_LENGTH_MAX = 120
HOUR = timedelta(hours=1)
# A body's member is asked for by another name here, or by several fields together.
FIELD_OF = {
    "limit_price": "most",
    "duration": "hours",
    "volume": "hours",
    "accelerators": "accelerator",
    "time_in_force": "auction",
}
Choices = list[tuple[str, Any]]


class BidForm(forms.Form):
    """A job. ``body`` says it as a request to the API does."""

    auction = forms.ChoiceField(label=_("Auction"))
    kind = forms.ChoiceField(label=_("How it runs"), choices=list(KINDS.items()))
    model = forms.ChoiceField(
        label=_("AI model"),
        required=False,
        help_text=_("One unit is one replica of it, on whatever it fits."),
    )
    dtype = forms.ChoiceField(
        label=_("Its number format"),
        required=False,
        initial=DTYPE_DEFAULT,
        choices=[(name, name) for name in DTYPE_BITS],
    )
    accelerator = forms.ChoiceField(
        label=_("or accelerator"), required=False, help_text=_("One unit is one of it.")
    )
    others = forms.MultipleChoiceField(
        label=_("Others that would do"),
        required=False,
        help_text=_("Each in the number that does the same work (FP16)."),
    )
    quantity = ScaledField(label=_("How many at once"), scale=LOTS, least=1)
    hours = ScaledField(
        label=_("For how many hours"),
        scale=LOTS,
        least=1,
        required=False,
        help_text=_("Not for work hour by hour: that runs through the whole time below."),
    )
    starts_at = InstantField(label=_("Not before"))
    ends_at = InstantField(label=_("Done by"))
    origin = forms.ChoiceField(label=_("Your users or data are in"))
    latency_ms_max = ScaledField(
        label=_("Answers within (ms, one way)"), scale=MICROS, required=False
    )
    gbps = ScaledField(label=_("Link per accelerator (Gbps)"), scale=MICROS, required=False)
    regions = forms.MultipleChoiceField(
        label=_("May run in"), required=False, help_text=_("None chosen: anywhere.")
    )
    renewable_share_min = ScaledField(
        label=_("Least renewable share (0 to 1)"), scale=MICROS, required=False
    )
    most = ScaledField(label=_("The most it may cost"), scale=TICKS)
    most_is = forms.ChoiceField(
        label=_("That is"),
        choices=[("price", _("per unit and hour")), ("total", _("for all of it, fee included"))],
    )
    project = forms.ChoiceField(label=_("Project"), required=False)
    group = forms.CharField(
        label=_("Alternative of job"),
        required=False,
        max_length=80,
        help_text=_("Blocks with the same name here: at most one is taken."),
    )
    label = forms.CharField(label=_("Label"), required=False, max_length=LABEL_LENGTH_MAX)

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.catalogue: Catalogue = catalogue_now()
        self.auctions = list(
            Auction.objects.visible_to(None).taking_bids().select_related("series")[:50]
        )
        choices = self._choices(request)
        for name, listed in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = listed

    def _choices(self, request: HttpRequest) -> dict[str, Choices]:
        chips = [(c.code, c.name) for c in self.catalogue.accelerators.values() if c.tradable]
        models = [(m.code, m.name) for m in self.catalogue.models.values()]
        regions: Choices = sorted(region_names().items(), key=lambda row: row[1])
        projects = Project.objects.visible_to(caller_of(request)).filter(closed_at__isnull=True)
        gates: Choices = [
            (a.public_id, f"{a.series.name}: {instant_words(a.starts_at, SHORT)}")
            for a in self.auctions
        ]
        return {
            "auction": [*gates, (STANDING, _("any that comes, until it is filled"))],
            "model": [("", "—"), *sorted(models, key=lambda row: row[1])],
            "accelerator": [("", "—"), *chips],
            "others": chips,
            "regions": regions,
            "origin": regions,
            "project": [("", "—"), *((row.name, row.name) for row in projects)],
        }

    def clean(self) -> dict[str, Any]:
        """Refuse what no single field shows: nothing to run, or two things."""
        checked = super().clean() or {}
        if bool(checked.get("model")) == bool(checked.get("accelerator")):
            self.add_error("accelerator", _("Choose an AI model or an accelerator, one of them."))
        if checked.get("kind") != BidKind.HOURLY and not checked.get("hours"):
            self.add_error("hours", _("A value is needed here."))
        if checked.get("kind") == BidKind.HOURLY and checked.get("hours"):
            self.add_error("hours", _("Hour by hour it runs through the whole time."))
        return checked

    def body(self) -> dict[str, Any]:
        """Return the bid as the body of a request to the API says it."""
        checked = self.cleaned_data
        standing = checked["auction"] == STANDING
        told = {
            "auction": None if standing else checked["auction"],
            "time_in_force": STANDING if standing else "auction",
            "kind": checked["kind"],
            "origin": checked["origin"],
            "starts_at": checked["starts_at"].isoformat(),
            "ends_at": checked["ends_at"].isoformat(),
            "quantity": format_scaled(checked["quantity"], scale=LOTS),
            "limit_price": format_scaled(self._limit_ticks(), scale=TICKS),
            **self._work(),
            **self._runs_on(),
            **self._numbers("latency_ms_max", "gbps", "renewable_share_min"),
            "regions": checked["regions"],
            **{name: checked[name] for name in ("project", "group", "label")},
        }
        return {name: value for name, value in told.items() if value not in (None, "", [])}

    def _numbers(self, *names: str) -> dict[str, str | None]:
        found = ((name, self.cleaned_data[name]) for name in names)
        return {
            name: None if micros is None else format_scaled(micros, scale=MICROS)
            for name, micros in found
        }

    def _work(self) -> dict[str, str]:
        checked = self.cleaned_data
        if checked["kind"] == BidKind.BLOCK:
            return {"duration": format_scaled(checked["hours"], scale=LOTS)}
        if checked["kind"] == BidKind.VOLUME:
            lots = checked["hours"] * checked["quantity"] // LOTS
            return {"volume": format_scaled(lots, scale=LOTS)}
        return {}

    def _runs_on(self) -> dict[str, Any]:
        checked = self.cleaned_data
        if checked["model"]:
            return {"model": checked["model"], "dtype": checked["dtype"] or DTYPE_DEFAULT}
        first = checked["accelerator"]
        others = [code for code in checked["others"] if code != first]
        return {
            "accelerators": [
                {"accelerator": code, "factor": format_scaled(self._factor(code), scale=MICROS)}
                for code in (first, *others)
            ]
        }

    def _factor(self, code: str) -> int:
        """Return how many of a chip do the work of the first one, in millionths, rounded up."""
        chips = self.catalogue.accelerators
        first, other = chips[self.cleaned_data["accelerator"]], chips[code]
        assert first.tflops_micros, "only chips with figures are traded"
        assert other.tflops_micros, "only chips with figures are traded"
        return -(-first.tflops_micros * MICROS // other.tflops_micros)

    def _limit_ticks(self) -> int:
        """Return the limit price per unit-hour; of a total, what is left of it without the fee."""
        checked = self.cleaned_data
        most: int = checked["most"]
        if checked["most_is"] == "price":
            return most
        hours = checked["hours"] or (checked["ends_at"] - checked["starts_at"]) // HOUR * LOTS
        unit_hours = max(1, checked["quantity"] * hours)  # lots times thousandths of hours
        limit: int = most * LOTS * LOTS * PPM // (unit_hours * (PPM + self._fee_ppm()))
        return limit

    def _fee_ppm(self) -> int:
        """Return the buyer's fee of the auction; the highest of all series for a standing bid."""
        named = self.cleaned_data["auction"]
        found = next((a.buyer_fee_ppm for a in self.auctions if a.public_id == named), None)
        if found is not None:
            return found
        series = AuctionSeries.objects.visible_to(None).filter(active=True)
        return max(series.values_list("buyer_fee_ppm", flat=True), default=0)


def first_values(request: HttpRequest) -> dict[str, Any]:
    """Return what the form begins with: the next auction's time, and what the address says."""
    gates = Auction.objects.visible_to(None).taking_bids().order_by("closes_at")
    values: dict[str, Any] = {"dtype": DTYPE_DEFAULT, "quantity": "1", "most_is": "price"}
    if (gate := gates.first()) is not None:
        values |= {"auction": gate.public_id, "starts_at": gate.starts_at, "ends_at": gate.ends_at}
    listed = {"regions", "others"}
    for name in BidForm.base_fields:
        if name in request.GET:
            values[name] = request.GET.getlist(name) if name in listed else request.GET[name]
    return values


def fields_of_change(change: dict[str, Any], form: BidForm) -> dict[str, Any]:
    """Return the fields of the form that make a change that a preview proposes."""
    changed: dict[str, Any] = {}
    for member, value in change.items():
        if member == "limit_price":
            changed |= {"most": value, "most_is": "price"}
        elif member == "duration":
            changed["hours"] = value
        elif member == "volume":
            changed["hours"] = _hours_of(value, change, form)
        elif member in ("starts_at", "ends_at"):
            changed[member] = control_time(datetime.fromisoformat(value))
        elif member == "accelerators":
            changed["others"] = [row["accelerator"] for row in value]
        else:
            changed[member] = value
    return changed


def _hours_of(volume: str, change: dict[str, Any], form: BidForm) -> str:
    rate = float(change.get("quantity", 0)) or form.cleaned_data["quantity"] / LOTS
    return f"{int(float(volume) / rate * LOTS) / LOTS:.3f}"
