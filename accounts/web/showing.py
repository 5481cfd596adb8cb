"""Template words that every door shares: how money, prices, times and form fields are shown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, Select, Widget
from django.http import HttpRequest
from django.template import RequestContext
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import Notice
from accounts.web.words import COLOURS, WORDS
from accounts.web.zones import MINUTE, market_zone_info, reader_zone, two_clocks, zone_words
from exchange.foundation.money import LOTS, MICROS, TICKS, format_scaled

NOTHING = "—"  # what stands where there is no number
MILLISECONDS_AN_HOUR = 3_600_000
MILLIJOULES_A_WATT_HOUR = 3_600_000

UNREAD_MAX = 100

register = template.Library()


def _grouped(text: str, *, decimals_min: int) -> str:
    """Return a decimal string with its thousands apart and no zeros that say nothing."""
    whole, _dot, part = text.partition(".")
    part = part.rstrip("0").ljust(decimals_min, "0")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(whole):,}" + (f".{part}" if part else "")


def decimal_text(millionths: int) -> str:
    """Return a number of millionths with two decimals, more where they are not zero."""
    return _grouped(format_scaled(millionths, scale=MICROS), decimals_min=2)


@register.filter
def money(amount_micros: int | None) -> str:
    """Show an amount exactly: two decimals, more where they are not zero."""
    return NOTHING if amount_micros is None else decimal_text(amount_micros)


@register.filter
def price(price_ticks: int | None) -> str:
    """Show a price per accelerator-hour with the three decimals of its tick."""
    if price_ticks is None:
        return NOTHING
    return _grouped(format_scaled(price_ticks, scale=TICKS), decimals_min=3)


@register.filter
def quantity(lots: int | None) -> str:
    """Show a number of accelerators, with decimals only where it is not whole."""
    if lots is None:
        return NOTHING
    return _grouped(format_scaled(lots, scale=LOTS), decimals_min=0)


@register.filter
def decimal(number: Decimal | None) -> str:
    """Show an exact decimal without an exponent and without zeros at its end."""
    if number is None:
        return NOTHING
    return _grouped(f"{number:f}", decimals_min=2)


@register.filter
def market_time(at: datetime | None, form: str = MINUTE) -> SafeString | str:
    """Show an instant by the reader's clock with the market's under it, UTC on hovering."""
    if at is None:
        return NOTHING
    own, market = two_clocks(at, form)
    return format_html(
        '<time class="instant" datetime="{}" title="{} UTC">{}{}</time>',
        at.astimezone(UTC).isoformat(),
        f"{at.astimezone(UTC):{MINUTE}}",
        own,
        _small(market, _("market")),
    )


@register.filter
def both_times(at: datetime | None) -> SafeString | str:
    """Show an instant as ``market_time`` does, with UTC written under it."""
    if at is None:
        return NOTHING
    own, market = two_clocks(at)
    return format_html(
        '<time class="instant" datetime="{}">{}{}{}</time>',
        at.astimezone(UTC).isoformat(),
        own,
        _small(market, _("market")),
        _small(f"{at.astimezone(UTC):{MINUTE}}", "UTC"),
    )


@register.filter
def market_month(at: datetime) -> str:
    """Show the month that begins at an instant; months are the market's, whoever reads."""
    return f"{at.astimezone(market_zone_info()):%Y-%m}"


def _small(clock: str, whose: str) -> SafeString | str:
    return format_html("<small>{} {}</small>", clock, whose) if clock else ""


@register.filter
def lasting(length: timedelta | None) -> str:
    """Show how long something takes as a clock does, days apart: ``2 d 03:10:00``."""
    if length is None:
        return NOTHING
    minutes, seconds = divmod(max(0, int(length.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return (f"{days} d " if days else "") + f"{hours:02}:{minutes:02}:{seconds:02}"


@register.filter
def word(code: str) -> "str | Promise":
    """Say a stored word, such as a state, in the reader's language."""
    return WORDS.get(code, code)


@register.filter
def badge(code: str) -> SafeString:
    """Show a state as a badge."""
    look = f"badge bg-{COLOURS.get(code, 'secondary')}-lt"
    return format_html('<span class="{}">{}</span>', look, word(code))


@register.filter
def accelerator_hours(milliseconds: int | None) -> str:
    """Show accelerator-milliseconds as accelerator-hours, to a thousandth."""
    if milliseconds is None:
        return NOTHING
    return quantity(milliseconds * LOTS // MILLISECONDS_AN_HOUR)


@register.filter
def kilowatt_hours(millijoules: int | None) -> str:
    """Show millijoules, as meters count them, as kilowatt-hours to a thousandth."""
    if millijoules is None:
        return NOTHING
    return quantity(millijoules // MILLIJOULES_A_WATT_HOUR)


@register.filter
def minor(amount: int | None, digits: int) -> str:
    """Show an amount in a currency's minor units, such as cents, with all its digits."""
    if amount is None:
        return NOTHING
    return _grouped(format_scaled(amount, scale=10**digits), decimals_min=digits)


@register.filter
def percent(millionths: int | None) -> str:
    """Show a share that is kept in millionths."""
    if millionths is None:
        return NOTHING
    return _grouped(format_scaled(millionths, scale=10_000), decimals_min=0) + " %"


@register.filter
def scaled(millionths: int | None) -> str:
    """Show a number that is kept in millionths, such as a PUE."""
    return NOTHING if millionths is None else decimal_text(millionths)


@register.simple_tag
def times_note() -> str:
    """Say whose clock the page's times are by, and its forms'."""
    now = datetime.now(UTC)
    zone, market = zone_words(reader_zone(), now), zone_words(market_zone_info(), now)
    if zone == market:
        return _("Times are those of the market: %(zone)s.") % {"zone": market}
    said = _("Times are yours: %(zone)s; beside them the market's: %(market)s.")
    return said % {"zone": zone, "market": market}


@register.simple_tag
def once() -> SafeString:
    """Put a token into a form, so that it does its deed once (accounts.web.once)."""
    return format_html('<input type="hidden" name="once" value="{}">', token_hex(16))


@register.simple_tag
def market_currency() -> str:
    """Name the currency that every amount on the page is in."""
    return str(settings.MARKET_CURRENCY)


@register.simple_tag(takes_context=True)
def with_query(context: RequestContext, **changes: Any) -> str:
    """Return this page's query with ``changes`` made, so that filters live on in links."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"


@register.inclusion_tag("partials/page_link.html", takes_context=True)
def page_link(
    context: RequestContext, name: str, label: str, *, exact: bool = False
) -> dict[str, Any]:
    """Link a page of the navigation; the one that is shown, or is above it, is marked."""
    address = reverse(name)
    request: HttpRequest | None = context.get("request")
    path = request.path if request else ""
    here = path == address or (not exact and address != "/" and path.startswith(address))
    return {"address": address, "label": label, "here": here}


@register.simple_tag(takes_context=True)
def unread_notices(context: RequestContext) -> int:
    """Count what the bell shows, up to a hundred."""
    caller = context.get("caller")
    if not caller or caller.user_id is None:
        return 0
    return Notice.objects.visible_to(caller).unread()[:UNREAD_MAX].count()


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Return whether a field's label belongs behind it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_choices(field: BoundField) -> bool:
    """Return whether a field is a group of boxes to tick."""
    return isinstance(field.field.widget, CheckboxSelectMultiple)


@register.filter
def control(field: BoundField) -> SafeString:
    """Show a field's control in the look of the portal, marked when it is wrong."""
    names: dict[type[Widget], str] = {CheckboxInput: "form-check-input", Select: "form-select"}
    looks = (look for kind, look in names.items() if isinstance(field.field.widget, kind))
    wrong = " is-invalid" if field.errors else ""
    return field.as_widget(attrs={"class": next(looks, "form-control") + wrong})
