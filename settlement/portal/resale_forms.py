"""What a buyer says to sell hours on, and a new buyer to take them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from accounts.web.form_fields import ScaledField
from accounts.web.zones import reader_zone
from exchange.foundation.ids import LENGTH_MAX
from exchange.foundation.money import LOTS, TICKS
from settlement.models import Project
from settlement.queries.resales import new_buyer_named
from settlement.queries.resold import Left
from settlement.services.resales import PRICE_TICKS_MAX, QUANTITY_LOTS_MAX


class FloorForm(forms.Form):
    """Offer all that is left back at auctions."""

    price = ScaledField(
        label=_("Lowest price for an accelerator-hour"),
        scale=TICKS,
        help_text=_("Nothing is sold below it; what the auction pays above it is yours."),
    )

    def clean_price(self) -> int:
        """Return the price in ticks, within what the market can count."""
        return _at_most(self.cleaned_data["price"], PRICE_TICKS_MAX)


class NamedForm(FloorForm):
    """Sell whole hours, or a part of them, to one organization."""

    field_order = ["buyer", "starts_at", "ends_at", "quantity", "price"]
    buyer = forms.CharField(
        label=_("New buyer"),
        max_length=LENGTH_MAX,
        help_text=_("the organization's id, such as org_06h1…; it tells you"),
    )
    starts_at = forms.ChoiceField(label=_("From"))
    ends_at = forms.ChoiceField(label=_("Until"))
    quantity = ScaledField(
        label=_("Accelerators"),
        scale=LOTS,
        least=1,
        required=False,
        help_text=_("Empty: all that is left in each hour."),
    )

    def __init__(self, *args: Any, ahead: Sequence[Left], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["price"].label = _("Price for an accelerator-hour")
        self.fields["price"].help_text = ""
        for name in ("starts_at", "ends_at"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            moments = [getattr(each, name) for each in ahead]
            field.choices = [(moment.isoformat(), _said(moment)) for moment in moments]
            if moments:
                field.initial = moments[0 if name == "starts_at" else -1].isoformat()

    def clean_buyer(self) -> Organization:
        """Return the organization that is named."""
        found = new_buyer_named(self.cleaned_data["buyer"].strip())
        if found is None:
            raise forms.ValidationError(_now("No organization with this id buys here."))
        return found

    def clean_quantity(self) -> int | None:
        """Return the quantity in lots, None for all."""
        lots = self.cleaned_data["quantity"]
        return None if lots is None else _at_most(lots, QUANTITY_LOTS_MAX)

    def terms(self) -> dict[str, Any]:
        """Return what is to be resold, as the service takes it."""
        said = self.cleaned_data
        return {
            "buyer": said["buyer"],
            "starts_at": parse_datetime(said["starts_at"]),
            "ends_at": parse_datetime(said["ends_at"]),
            "quantity_lots": said["quantity"],
            "price_ticks": said["price"],
        }


class AcceptForm(forms.Form):
    """Whose budget the hours are paid from."""

    project = forms.ChoiceField(label=_("Project"), required=False)

    def __init__(self, *args: Any, organization_id: int, **options: Any) -> None:
        super().__init__(*args, **options)
        own = Project.objects.open().filter(organization_id=organization_id)
        names = own.values_list("name", flat=True)
        field = self.fields["project"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("none")), *((name, name) for name in names)]


def _said(moment: datetime) -> str:
    """Return a moment by the reader's clock."""
    return f"{moment.astimezone(reader_zone()):%Y-%m-%d %H:%M}"


def _at_most(number: int, most: int) -> int:
    if number > most:
        raise forms.ValidationError(_now("This is too large."))
    return number
