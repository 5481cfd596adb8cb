"""Form fields of the portal: exact decimals, and instants by the reader's clock."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.web.zones import reader_zone
from exchange.foundation.money import NotADecimal, format_scaled, parse_scaled

MARKET_FORM = "%Y-%m-%dT%H:%M"  # what a browser's own date and time control sends


def control_time(at: datetime) -> str:
    """Return an instant by the reader's clock, as a date and time control takes it."""
    return at.astimezone(reader_zone()).strftime(MARKET_FORM)


class ScaledField(forms.CharField):
    """A decimal number that becomes whole steps of ``1 / scale``, exactly."""

    default_error_messages = {
        "not_decimal": _("Write a plain decimal number in steps of %(step)s."),
        "too_small": _("Must be at least %(least)s."),
    }

    def __init__(self, *, scale: int, least: int = 0, **kwargs: Any) -> None:
        self.scale = scale
        self.least = least
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return the steps, or None where an optional field is empty."""
        text = super().clean(value)
        return self._steps(text) if text else None

    def _steps(self, text: str) -> int:
        try:
            steps = parse_scaled(text, scale=self.scale)
        except NotADecimal as wrong:
            step = {"step": format_scaled(1, scale=self.scale)}
            message = self.error_messages["not_decimal"]
            raise ValidationError(message, code="not_decimal", params=step) from wrong
        if steps < self.least:
            least = {"least": format_scaled(self.least, scale=self.scale)}
            raise ValidationError(self.error_messages["too_small"], code="too_small", params=least)
        return steps

    def prepare_value(self, value: Any) -> Any:
        """Show whole steps as the decimal that they are."""
        return format_scaled(value, scale=self.scale) if isinstance(value, int) else value


class InstantField(forms.DateTimeField):
    """An instant of the market, written and read by the reader's clock."""

    widget = forms.DateTimeInput(format=MARKET_FORM, attrs={"type": "datetime-local"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=[MARKET_FORM, "%Y-%m-%d %H:%M", "%Y-%m-%d"], **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        """Return the instant that the reader's clock shows as ``value``."""
        with timezone.override(reader_zone()):
            return super().to_python(value)

    def prepare_value(self, value: Any) -> Any:
        """Show an instant by the reader's clock."""
        with timezone.override(reader_zone()):
            return super().prepare_value(value)
