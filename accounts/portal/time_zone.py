"""Whose clock a reader wants to see: a page for visitors and members alike."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.forms.utils import flatatt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.web.zones import (
    MARKET,
    keep_zone,
    known_zones,
    market_zone_info,
    zone_of,
    zone_words,
)


class ZoneSelect(forms.Select):
    """Hundreds of zones, written in one go: a template for each option takes most of the page."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the control with its groups of options."""
        said = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))

        def options(choices: Iterable[Any]) -> SafeString:
            rows = ((key, " selected" if key == value else "", words) for key, words in choices)
            return format_html_join("", '<option value="{}"{}>{}</option>', rows)

        parts = (
            format_html('<optgroup label="{}">{}</optgroup>', key, options(words))
            if isinstance(words, list | tuple)
            else options([(key, words)])
            for key, words in self.choices
        )
        inside = format_html_join("", "{}", ((part,) for part in parts))
        return format_html("<select{}>{}</select>", said, inside)


class ZoneForm(forms.Form):
    """The market's clock alone, or a zone whose clock is shown with the market's beside it."""

    zone = forms.ChoiceField(label=gettext_lazy("Show times in"), widget=ZoneSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = datetime.now(UTC)
        field = self.fields["zone"]
        assert isinstance(field, forms.ChoiceField)
        market = _("the market's zone alone: %(zone)s") % {
            "zone": zone_words(market_zone_info(), now)
        }
        field.choices = [(MARKET, market), *_by_continent(now)]


@require_http_methods(["GET", "HEAD", "POST"])
def time_zone(request: HttpRequest) -> HttpResponse:
    """Ask for a zone, keep it, and go back to the page that the reader came from."""
    chosen = zone_of(request)
    form = ZoneForm(
        request.POST if request.method == "POST" else None,
        initial={"zone": MARKET if chosen is None else chosen.key},
    )
    after = request.POST.get("next") or request.GET.get("next") or "/"
    if not url_has_allowed_host_and_scheme(after, {request.get_host()}, request.is_secure()):
        after = "/"
    if request.method == "POST" and form.is_valid():
        answer = redirect(after)
        _keep(request, answer, form.cleaned_data["zone"])
        return answer
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/time_zone.html", {"form": form, "next": after}, status=status)


def _keep(request: HttpRequest, answer: HttpResponse, name: str) -> None:
    keep_zone(answer, name)
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(time_zone=name)
    messages.success(request, _("Times are shown in the zone that you chose."))


def _by_continent(now: datetime) -> list[tuple[str, list[tuple[str, str]]]]:
    named = sorted((name.partition("/")[0], name) for name in known_zones())
    return [
        (continent, [(name, zone_words(ZoneInfo(name), now)) for _, name in rows])
        for continent, rows in groupby(named, key=lambda row: row[0])
    ]
