from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import EventType, WebhookEndpoint
from accounts.models.webhooks import URL_LENGTH_MAX
from accounts.services.webhook_endpoints import (
    ENDPOINTS_MAX,
    EndpointRefused,
    EndpointTerms,
    TooManyEndpoints,
)
from accounts.web.words import WORDS

ASKED_FOR = [kind for kind in EventType.values if kind != EventType.WEBHOOK_TEST]
WORDS_OF_CODE: dict[str, "str | Promise"] = {
    "url_malformed": _("This is not the address of a receiver."),
    "url_not_https": _("The address must begin with https://."),
    "unknown_event_type": _("There is no such type of event."),
}


def words_of(refusal: EndpointRefused | TooManyEndpoints) -> str:
    """Say why an endpoint was refused, in the reader's language."""
    if isinstance(refusal, EndpointRefused):
        return str(WORDS_OF_CODE[refusal.errors[0]["code"]])
    said = gettext("There are %(most)s endpoints already. Remove one first.")
    return said % {"most": ENDPOINTS_MAX}


class EndpointForm(forms.Form):
    """Where events are sent, and which."""

    url = forms.CharField(
        label=_("Address"),
        max_length=URL_LENGTH_MAX,
        help_text=_("https://…; it must answer with 2xx within 15 seconds"),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )
    description = forms.CharField(label=_("Note to yourselves"), max_length=100, required=False)
    event_types = forms.MultipleChoiceField(
        label=_("Events (none ticked: all)"),
        choices=[(kind, WORDS[kind]) for kind in ASKED_FOR],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )

    def terms(self) -> EndpointTerms:
        """Return what a service takes."""
        return EndpointTerms(**self.cleaned_data)

    @staticmethod
    def initial_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
        """Return what the form shows of an endpoint that exists."""
        return {
            "url": endpoint.url,
            "description": endpoint.description,
            "event_types": endpoint.event_types,
        }
