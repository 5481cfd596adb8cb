"""The form below a list of offers: what shall be done with those that are chosen."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.foundation.money import LOTS, TICKS, NotADecimal, format_scaled, parse_scaled
from exchange.portal.offer_forms import REASON_LENGTH_MAX
from exchange.services.offer_bulk import BulkChange, BulkVerb

PER_PERCENT: Final = 10_000  # millionths
SCALES: Final[Mapping[BulkVerb, int]] = {
    BulkVerb.SET_PRICE: TICKS,
    BulkVerb.ADD_TO_PRICE: TICKS,
    BulkVerb.SCALE_PRICE: PER_PERCENT,
    BulkVerb.SET_QUANTITY: LOTS,
    BulkVerb.SCALE_QUANTITY: PER_PERCENT,
}
VERBS: Final[Mapping[BulkVerb, "str | Promise"]] = {
    BulkVerb.SET_PRICE: gettext_lazy("Set the price to"),
    BulkVerb.ADD_TO_PRICE: gettext_lazy("Change the price by (-0.5 lowers it)"),
    BulkVerb.SCALE_PRICE: gettext_lazy("Change the price by percent (-5 lowers it)"),
    BulkVerb.SET_QUANTITY: gettext_lazy("Set the accelerators to"),
    BulkVerb.SCALE_QUANTITY: gettext_lazy("Change the accelerators by percent"),
    BulkVerb.PAUSE: gettext_lazy("Pause"),
    BulkVerb.RESUME: gettext_lazy("Put on sale"),
    BulkVerb.WITHDRAW: gettext_lazy("Withdraw"),
}


class BulkForm(forms.Form):
    """Which change, and by how much."""

    verb = forms.ChoiceField(
        label=gettext_lazy("With the chosen offers"),
        choices=[(verb.value, words) for verb, words in VERBS.items()],
    )
    amount = forms.CharField(
        label=gettext_lazy("Amount, of a price or number"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off"}),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason, to withdraw"),
        required=False,
        max_length=REASON_LENGTH_MAX,
    )

    def clean(self) -> dict[str, Any]:
        """Read the amount in the steps of what it changes; ask for a reason of an end."""
        checked = super().clean() or {}
        if "verb" not in checked:
            return checked
        verb = BulkVerb(checked["verb"])
        if verb in SCALES:
            checked["steps"] = self._steps(checked.get("amount", ""), SCALES[verb])
        elif verb == BulkVerb.WITHDRAW and not checked.get("reason"):
            self.add_error("reason", _("An end needs a reason."))
        return checked

    def change(self) -> BulkChange:
        """Return the change that was asked for."""
        checked = self.cleaned_data
        return BulkChange(
            verb=BulkVerb(checked["verb"]),
            amount=checked.get("steps") or 0,
            reason=checked["reason"],
        )

    def _steps(self, text: str, scale: int) -> int | None:
        try:
            return parse_scaled(text.strip().replace("\N{MINUS SIGN}", "-"), scale=scale)
        except NotADecimal:
            step = format_scaled(1, scale=scale)
            said = _("Write a plain decimal number in steps of %(step)s.") % {"step": step}
            self.add_error("amount", ValidationError(said, code="not_decimal"))
            return None
