"""Offers as a calendar: sites down, the hours of a day across, and what is free in each."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.web.form_fields import control_time
from accounts.web.portal import caller_of
from exchange.foundation.market_time import market_now
from exchange.foundation.money import LOTS, format_scaled
from exchange.models import SiteCapacity
from exchange.portal.days import HOUR, DayForm, day_of_market, today
from exchange.portal.doors import may_write, provider_reads
from exchange.portal.offer_filters import own_sites
from exchange.queries.capacity_boards import CapacityBoard, CapacityHour, capacity_boards


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One accelerator at one site; each hour with the address of a form that offers what is free.

    An address is empty where nothing is free, or where the hour has begun.
    """

    board: CapacityBoard
    hours: tuple[tuple[CapacityHour, str], ...]


@require_safe
@provider_reads
def offer_calendar(request: HttpRequest) -> HttpResponse:
    """Show one day of all sites; today if no other day was asked for."""
    form = DayForm({"day": request.GET.get("day") or today().isoformat()})
    rows: list[CalendarRow] = []
    if form.is_valid():
        capacities = SiteCapacity.objects.visible_to(caller_of(request))
        there = capacities.filter(site__in=own_sites(request))
        starts_at, hours = day_of_market(form.cleaned_data["day"])
        boards = capacity_boards(
            there.select_related("site", "accelerator"), starts_at, hours=hours
        )
        rows = [_row(board, now=market_now()) for board in boards]
    context = {"form": form, "rows": rows, "may_write": may_write(request), **form.beside()}
    return render(request, "exchange/offer_calendar.html", context)


def _row(board: CapacityBoard, *, now: datetime) -> CalendarRow:
    return CalendarRow(
        board,
        tuple(
            (hour, _address(board, hour) if hour.segment.free and hour.starts_at > now else "")
            for hour in board.hours
        ),
    )


def _address(board: CapacityBoard, hour: CapacityHour) -> str:
    """Return the address of the form for a new offer, filled in with what the hour has free."""
    asked = {
        "site": board.site,
        "accelerator": board.accelerator,
        "starts_at": control_time(hour.starts_at),
        "ends_at": control_time(hour.starts_at + HOUR),
        "quantity": format_scaled(hour.segment.free, scale=LOTS),
    }
    return f"{reverse('offer_new')}?{urlencode(asked)}"
