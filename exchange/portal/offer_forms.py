"""Forms for offers: they read shapes; what an offer may promise is the service's to say."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.web.form_fields import InstantField, ScaledField
from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import Accelerator, Offer, Site
from exchange.portal.offer_filters import own_accelerators, own_sites

LABEL_LENGTH_MAX = 64
REASON_LENGTH_MAX = 200
UPLOAD_BYTES_MAX = 2 * 1024 * 1024


class TermsForm(forms.Form):
    """What an edit may change: time, quantity and price."""

    starts_at = InstantField(label=_("From"))
    ends_at = InstantField(label=_("Until"), help_text=_("Not included."))
    quantity = ScaledField(
        label=_("Accelerators"), scale=LOTS, least=1, help_text=_("As many run in every hour.")
    )
    price = ScaledField(label=_("Lowest price"), scale=TICKS)

    def body(self) -> dict[str, Any]:
        """Return the terms as the body of a request to the API says them."""
        checked = self.cleaned_data
        return {
            "starts_at": _instant(checked["starts_at"]),
            "ends_at": _instant(checked["ends_at"]),
            "quantity": format_scaled(checked["quantity"], scale=LOTS),
            "price": format_scaled(checked["price"], scale=TICKS),
        }


class EditForm(TermsForm):
    """New terms for an offer, and the version that they are to follow."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class OfferForm(TermsForm):
    """A new offer: where, what, and the first terms."""

    site = forms.ModelChoiceField(
        label=_("Site"), queryset=Site.objects.none(), to_field_name="code"
    )
    accelerator = forms.ModelChoiceField(
        label=_("Accelerator"), queryset=Accelerator.objects.none(), to_field_name="code"
    )
    label = forms.CharField(
        label=_("Label"),
        required=False,
        max_length=LABEL_LENGTH_MAX,
        help_text=_("Your own words, to find it again."),
    )
    field_order = ("site", "accelerator", "starts_at", "ends_at", "quantity", "price", "label")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {"site": own_sites(request), "accelerator": own_accelerators(request)}
        for name, rows in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows.filter(tradable=True) if name == "accelerator" else rows

    def body(self) -> dict[str, Any]:
        """Return the offer as the body of a request to the API says it."""
        checked = self.cleaned_data
        where = {"site": checked["site"].code, "accelerator": checked["accelerator"].code}
        return {**where, "label": checked["label"], **super().body()}


class WithdrawForm(forms.Form):
    """An end needs a reason."""

    reason = forms.CharField(label=_("Reason"), max_length=REASON_LENGTH_MAX)


class ImportForm(forms.Form):
    """A CSV of offers."""

    file = forms.FileField(
        label=_("CSV file"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > UPLOAD_BYTES_MAX:
            raise forms.ValidationError(_("The file is larger than 2 MB."), code="file_too_large")
        return file


def first_values(request: HttpRequest) -> dict[str, Any]:
    """Return what an address such as a calendar's asks the form for a new offer to begin with."""
    return {name: request.GET[name] for name in OfferForm.field_order if name in request.GET}


def terms_of(offer: Offer) -> dict[str, Any]:
    """Return an offer's terms as the first values of its form."""
    terms = offer.terms
    assert terms is not None, "an offer has terms from its first moment on"
    return {
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
        "quantity": terms.quantity_lots,
        "price": terms.price_ticks,
        "version": terms.number,
    }


def _instant(at: datetime) -> str:
    return at.isoformat()
