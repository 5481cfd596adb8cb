"""Template words of the market's pages."""

from collections.abc import Mapping
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from accounts.web.showing import NOTHING, quantity
from exchange.foundation.money import MICROS, TICKS, format_scaled
from exchange.models import Auction, MarketFreeze, Measure
from exchange.queries.halts import live_halts

SHORT_TICKS = 10_000

register = template.Library()


@register.filter
def named(code: str, names: Mapping[str, str]) -> str:
    """Say what a code is called; the code itself where nobody knows."""
    return names.get(code, code)


@register.filter
def plain_price(ticks: int | None) -> str:
    """Write a price for machines, such as a chart: no thousands apart."""
    return "" if ticks is None else format_scaled(ticks, scale=TICKS)


@register.filter
def gbps(millionths: int | None) -> str:
    """Show a bandwidth that is kept in millionths of a Gbps, to a thousandth."""
    if millionths is None:
        return NOTHING
    return quantity(round(millionths / (MICROS // 1_000)))


@register.filter
def whole(lots: int | None) -> str:
    """Show a number of accelerators without decimals: enough where many are added up."""
    return NOTHING if lots is None else f"{round(lots / 1_000):,}"


@register.filter
def accelerator_hours_of(lot_periods: int, auction: Auction) -> str:
    """Show lots of accelerators times periods as accelerator-hours."""
    return f"{lot_periods * auction.period_minutes / 60_000:,.1f}"


@register.simple_tag
def gate(auction: Auction) -> SafeString:
    """Show when a gate closes; scripts write there how long that is from now."""
    return format_html(
        '<span class="countdown" data-until="{}" hidden></span>', auction.closes_at.isoformat()
    )


@register.filter
def short_price(ticks: int | None) -> str:
    """Show a price where there is little room, with two decimals at most."""
    return "" if ticks is None else f"{ticks / TICKS:.{2 if ticks < SHORT_TICKS else 1}f}"


@register.filter
def percent_of(millionths: int | None) -> str:
    """Show a share that is kept in millionths, to a tenth of a percent."""
    return NOTHING if millionths is None else f"{millionths / 10_000:.1f} %"


@register.filter
def whole_money(micros: Decimal | int | None) -> str:
    """Show an amount without decimals: enough where it is compared at a glance."""
    return NOTHING if micros is None else f"{round(Decimal(micros) / MICROS):,}"


@register.inclusion_tag("exchange/market/halts.html")
def halts_told() -> dict[str, object]:
    """Tell everybody which parts of the market are halted, and why."""
    return {"halts": live_halts()}


@register.filter
def halted_part(row: MarketFreeze | Measure) -> str:
    """Name what a halt, or a measure about one, is of."""
    if row.series is not None:
        return str(row.series.name)
    if row.region is not None:
        chinese = (get_language() or "").startswith("zh")
        return str((chinese and row.region.name_zh) or row.region.name)
    if row.accelerator is not None:
        return str(row.accelerator.name)
    return gettext("the whole market")


@register.filter
def whole_hours(milliseconds: int | None) -> str:
    """Show accelerator-milliseconds as accelerator-hours without decimals."""
    return NOTHING if milliseconds is None else f"{round(milliseconds / 3_600_000):,}"


@register.filter
def lot_hours(lot_minutes: int) -> str:
    """Show lots of accelerators times minutes as accelerator-hours."""
    return quantity(lot_minutes // 60)


@register.filter
def kilo(number: int | None) -> str:
    """Show watts as kilowatts, or watt-hours as kilowatt-hours, to a tenth."""
    return NOTHING if number is None else f"{number / 1_000:,.1f}"


@register.filter
def scaled_short(millionths: int | None) -> str:
    """Show a number that is kept in millionths with two decimals."""
    return NOTHING if millionths is None else f"{millionths / MICROS:.2f}"


@register.filter
def limit_of(code: str, limits: Mapping[str, int]) -> int | None:
    """Return the limit of a code, None where there is none."""
    return limits.get(code)
