"""A day of the market, as pages ask for one."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web.zones import market_zone_info
from exchange.foundation.market_time import market_now

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
YEARS = range(2000, 2200)


class DayForm(forms.Form):
    """Which day; today unless another is asked for."""

    day = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean_day(self) -> date | None:
        """Refuse days that no calendar of ours reaches."""
        day: date | None = self.cleaned_data["day"]
        if day and day.year not in YEARS:
            raise forms.ValidationError(_("This day is out of reach."), code="day_out_of_reach")
        return day

    def beside(self) -> dict[str, Any]:
        """Return the days before and after the chosen one, for links."""
        day: date | None = self.cleaned_data.get("day") if self.is_valid() else None
        return {} if day is None else {"day_before": day - DAY, "day_after": day + DAY}


def today() -> date:
    """Return the market's day of this moment."""
    return market_now().astimezone(market_zone_info()).date()


def day_of_market(day: date) -> tuple[datetime, int]:
    """Return when a local day begins, in UTC, and its hours: 23, 24 or 25."""
    zone = market_zone_info()
    first, after = (
        datetime.combine(day + timedelta(days=more), time(), zone).astimezone(UTC)
        for more in (0, 1)
    )
    return first, (after - first) // HOUR
