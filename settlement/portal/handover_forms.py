from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Caller
from accounts.web.form_fields import ScaledField
from accounts.web.showing import quantity
from exchange.foundation.money import LOTS
from settlement.models import Device, Party
from settlement.models.contracts import CODE_LENGTH_MAX
from settlement.models.metering import SERIAL_LENGTH_MAX
from settlement.services.access_notes import TEXT_LENGTH_MAX
from settlement.services.handover import DEVICES_AT_ONCE, KIND_OF_PARTY, Machines

SITE = _("Site")
PARTIES = [
    (Party.PROVIDER.value, _("as a provider")),
    (Party.BUYER.value, _("as a buyer")),
]


class MeterForm(forms.Form):
    """A new meter."""

    site = forms.CharField(
        label=SITE, max_length=CODE_LENGTH_MAX, help_text=_("its code, such as gui-an-1")
    )
    party = forms.ChoiceField(label=_("It reports"))

    def __init__(self, *args: Any, caller: Caller, **options: Any) -> None:
        super().__init__(*args, **options)
        party = self.fields["party"]
        assert isinstance(party, forms.ChoiceField)
        party.choices = [
            (value, label)
            for value, label in PARTIES
            if caller.is_kind(KIND_OF_PARTY[Party(value)])
        ]


class DevicesForm(forms.Form):
    """New devices of one kind."""

    site = forms.CharField(label=SITE, max_length=CODE_LENGTH_MAX)
    accelerator = forms.CharField(
        label=_("Accelerator"), max_length=CODE_LENGTH_MAX, help_text=_("its code")
    )
    capacity = ScaledField(scale=LOTS, least=1, label=_("Accelerators in each"), initial="1")
    serials = forms.CharField(
        label=_("Serial numbers"),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=_("one a line"),
    )

    def clean_serials(self) -> list[str]:
        """Return the serial numbers, each once, none too long."""
        serials = [line.strip() for line in self.cleaned_data["serials"].splitlines()]
        named = [serial for serial in serials if serial]
        if len(named) > DEVICES_AT_ONCE:
            most = {"most": DEVICES_AT_ONCE}
            raise ValidationError(_("At most %(most)s at a time."), params=most)
        for serial in named:
            if len(serial) > SERIAL_LENGTH_MAX or not serial.isprintable():
                raise ValidationError(_("%(serial)s is too long."), params={"serial": serial[:80]})
        if len(set(named)) < len(named):
            raise ValidationError(_("A serial number stands twice."))
        return named

    def machines(self) -> Machines:
        """Return what a service takes."""
        said = self.cleaned_data
        return Machines(
            site_code=said["site"],
            accelerator_code=said["accelerator"],
            serials=said["serials"],
            capacity_lots=said["capacity"],
        )


class DeviceField(forms.ModelChoiceField[Device]):
    """A choice of devices, named by their serial numbers."""

    def label_from_instance(self, obj: Device) -> str:
        """Return how a device is called in the list."""
        return f"{obj.serial} ({quantity(obj.capacity_lots)} {obj.accelerator_code})"


class AssignForm(forms.Form):
    """A device for a contract, for all of its time."""

    device = DeviceField(
        label=_("Device"), queryset=Device.objects.none(), to_field_name="public_id"
    )

    def __init__(self, *args: Any, fit: QuerySet[Device], **options: Any) -> None:
        super().__init__(*args, **options)
        device = self.fields["device"]
        assert isinstance(device, forms.ModelChoiceField)
        device.queryset = fit


class NoteForm(forms.Form):
    """How to reach the machines."""

    text = forms.CharField(
        label=_("Access note"),
        max_length=TEXT_LENGTH_MAX,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Endpoint, account, how to get the credentials. Kept encrypted."),
    )
